//! What scales, by the memory of the frames.

use std::sync::{LazyLock, Once};

use gst::glib;
use gst::prelude::*;
use gst_base::subclass::prelude::*;

use super::rig::{CAMERA, Rig};
use crate::support::pipeline::{Pipeline, stats};

const ON_GPU: &str =
    "video/x-raw(memory:CUDAMemory),format=NV12,width=1280,height=720,framerate=30/1";

mod imp {
    use super::*;

    /// Takes and gives what it says is CUDA memory, in any size, as the real one does.
    #[derive(Default)]
    pub struct FakeScaler;

    #[glib::object_subclass]
    impl ObjectSubclass for FakeScaler {
        const NAME: &'static str = "LiveTuneTestCudaScale";
        type Type = super::FakeScaler;
        type ParentType = gst_base::BaseTransform;
    }

    impl ObjectImpl for FakeScaler {}
    impl GstObjectImpl for FakeScaler {}

    impl ElementImpl for FakeScaler {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new("Fake scaler", "Test", "Test", "livetune")
            });
            Some(&METADATA)
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
                let caps: gst::Caps = "video/x-raw(memory:CUDAMemory)".parse().unwrap();
                let directions = [
                    ("sink", gst::PadDirection::Sink),
                    ("src", gst::PadDirection::Src),
                ];
                let always = gst::PadPresence::Always;
                let made = directions
                    .map(|(name, direction)| gst::PadTemplate::new(name, direction, always, &caps));
                made.into_iter().flatten().collect()
            });
            &TEMPLATES
        }
    }

    impl BaseTransformImpl for FakeScaler {
        const MODE: gst_base::subclass::BaseTransformMode =
            gst_base::subclass::BaseTransformMode::NeverInPlace;
        const PASSTHROUGH_ON_SAME_CAPS: bool = true;
        const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

        fn transform_caps(
            &self,
            _direction: gst::PadDirection,
            caps: &gst::Caps,
            filter: Option<&gst::Caps>,
        ) -> Option<gst::Caps> {
            let mut any = caps.clone();
            for structure in any.make_mut().iter_mut() {
                structure.remove_field("pixel-aspect-ratio");
                for side in ["width", "height"] {
                    structure.set(side, gst::IntRange::new(1, 32_767));
                }
            }
            Some(match filter {
                Some(filter) => filter.intersect_with_mode(&any, gst::CapsIntersectMode::First),
                None => any,
            })
        }

        fn unit_size(&self, _caps: &gst::Caps) -> Option<usize> {
            Some(1)
        }

        fn transform_size(
            &self,
            _direction: gst::PadDirection,
            _caps: &gst::Caps,
            _size: usize,
            _other: &gst::Caps,
        ) -> Option<usize> {
            Some(16)
        }

        fn transform(
            &self,
            _input: &gst::Buffer,
            _output: &mut gst::BufferRef,
        ) -> Result<gst::FlowSuccess, gst::FlowError> {
            Ok(gst::FlowSuccess::Ok)
        }
    }
}

glib::wrapper! {
    pub struct FakeScaler(ObjectSubclass<imp::FakeScaler>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Makes a `cudascale` known, as a machine with an NVIDIA GPU has it.
fn install() {
    static INSTALLED: Once = Once::new();
    crate::support::init();
    INSTALLED.call_once(|| {
        if gst::ElementFactory::find("cudascale").is_none() {
            let kind = FakeScaler::static_type();
            gst::Element::register(None, "cudascale", gst::Rank::NONE, kind).unwrap();
        }
    });
}

fn scaler(rig: &Rig) -> String {
    stats(&rig.element).get("scaler").unwrap()
}

#[test]
fn frames_on_the_gpu_are_scaled_there() {
    install();
    let mut rig = Rig::at_level(ON_GPU, "low");
    rig.push(0);
    assert_eq!(
        (scaler(&rig).as_str(), rig.size()),
        ("cudascale", (640, 360))
    );
    assert_eq!(rig.warning(), None);
    let memory = rig.caps().features(0).unwrap().to_string();
    assert_eq!(memory, "memory:CUDAMemory");
    rig.set_level("high");
    rig.push(1);
    assert_eq!(rig.size(), (1280, 720));
}

#[test]
fn the_scaler_changes_with_the_memory_in_the_middle_of_the_stream() {
    install();
    let mut rig = Rig::at_level(CAMERA, "low");
    rig.push(0);
    assert_eq!(
        (scaler(&rig).as_str(), rig.size()),
        ("videoscale", (640, 360))
    );
    rig.set_caps(ON_GPU);
    rig.push(1);
    assert_eq!(
        (scaler(&rig).as_str(), rig.size()),
        ("cudascale", (640, 360))
    );
    rig.set_caps(CAMERA);
    rig.push(30);
    assert_eq!(
        (scaler(&rig).as_str(), rig.size()),
        ("videoscale", (640, 360))
    );
    assert_eq!(rig.pulled().len(), 3);
}

#[test]
fn a_scaler_that_is_named_is_the_only_one() {
    install();
    let mut software = Rig::new(ON_GPU, &[("scaler", "videoconvertscale"), ("level", "low")]);
    software.push(0);
    assert_eq!(software.size(), (1280, 720));
    assert!(software.warning().unwrap().contains("videoscale"));
    let mut none = Rig::new(
        CAMERA,
        &[
            ("scaler", "none"),
            ("auto", "false"),
            ("level", "ultra-low"),
        ],
    );
    (0..30).for_each(|number| none.push(number));
    assert_eq!((none.size(), none.pulled().len()), ((1280, 720), 15));
    assert_eq!(scaler(&none), "none");
}

#[test]
fn a_scaler_that_is_not_installed_is_an_error_that_names_the_package() {
    crate::support::init();
    if gst::ElementFactory::find("vapostproc").is_some() {
        return;
    }
    let pipeline = Pipeline::parse("videotestsrc ! qualityswitch scaler=vapostproc ! fakesink");
    let error = pipeline.error_on_the_way_to(gst::State::Ready);
    assert!(error.contains("vapostproc is missing"), "{error}");
    assert!(error.contains("gstreamer1.0-plugins-bad"), "{error}");
}
