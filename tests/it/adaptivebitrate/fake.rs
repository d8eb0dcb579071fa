//! Encoders that nobody knows: `testenc` sends what the test wants, `v4l2testenc` has its rate in a structure.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, Once};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::prelude::*;

const FRAMES_PER_SECOND: u64 = 30;

/// Registers both.
pub(super) fn register() {
    static REGISTER: Once = Once::new();
    crate::support::init();
    REGISTER.call_once(|| {
        let rank = gst::Rank::NONE;
        gst::Element::register(None, "testenc", rank, TestEncoder::static_type()).unwrap();
        gst::Element::register(None, "v4l2testenc", rank, Controlled::static_type()).unwrap();
    });
}

fn encoder_metadata() -> &'static gst::subclass::ElementMetadata {
    static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
        gst::subclass::ElementMetadata::new("Test", "Codec/Encoder/Video", "For tests", "tests")
    });
    &METADATA
}

#[allow(clippy::disallowed_methods, reason = "no lock of ours to poison")]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

glib::wrapper! {
    pub struct TestEncoder(ObjectSubclass<imp::TestEncoder>) @extends gst::Element, gst::Object;
}

glib::wrapper! {
    pub struct Controlled(ObjectSubclass<imp::Controlled>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

mod imp {
    use super::*;

    /// Like careless encoders, it pushes under the lock that its bit rate is set under.
    pub struct TestEncoder {
        sink: gst::Pad,
        src: gst::Pad,
        kbps: Mutex<u32>,
        /// kbit/s whatever it is told; 0: what it is told.
        stubborn: AtomicU32,
        /// Keeps its bit rate, whoever sets it.
        frozen: AtomicBool,
    }

    impl TestEncoder {
        fn chain(&self, buffer: &gst::BufferRef) -> Result<gst::FlowSuccess, gst::FlowError> {
            let told = lock(&self.kbps);
            let kbps = match self.stubborn.load(Ordering::Relaxed) {
                0 => *told,
                stubborn => stubborn,
            };
            let size = u64::from(kbps) * 1000 / 8 / FRAMES_PER_SECOND;
            let mut frame = gst::Buffer::with_size(size as usize).unwrap();
            frame.get_mut().unwrap().set_pts(buffer.pts());
            self.src.push(frame)
        }
    }

    #[glib::object_subclass]
    impl ObjectSubclass for TestEncoder {
        const NAME: &'static str = "LiveTuneTestEncoder";
        type Type = super::TestEncoder;
        type ParentType = gst::Element;

        fn with_class(class: &Self::Class) -> Self {
            let sink = gst::Pad::builder_from_template(&class.pad_template("sink").unwrap())
                .chain_function(|_, parent, buffer| {
                    let chain = |this: &Self| this.chain(&buffer);
                    Self::catch_panic_pad_function(parent, || Err(gst::FlowError::Error), chain)
                })
                .build();
            let src = gst::Pad::from_template(&class.pad_template("src").unwrap());
            Self {
                sink,
                src,
                kbps: Mutex::new(1_000),
                stubborn: AtomicU32::new(0),
                frozen: AtomicBool::new(false),
            }
        }
    }

    impl ObjectImpl for TestEncoder {
        fn properties() -> &'static [glib::ParamSpec] {
            static PROPERTIES: LazyLock<[glib::ParamSpec; 3]> = LazyLock::new(|| {
                let number = |name| glib::ParamSpecUInt::builder(name).maximum(100_000);
                [
                    number("bitrate").blurb("Bitrate in kbit/sec").build(),
                    number("stubborn").build(),
                    glib::ParamSpecBoolean::builder("frozen").build(),
                ]
            });
            &*PROPERTIES
        }

        fn set_property(&self, _: usize, value: &glib::Value, spec: &glib::ParamSpec) {
            match spec.name() {
                "bitrate" if self.frozen.load(Ordering::Relaxed) => (),
                "bitrate" => *lock(&self.kbps) = value.get().unwrap(),
                "stubborn" => self.stubborn.store(value.get().unwrap(), Ordering::Relaxed),
                _ => self.frozen.store(value.get().unwrap(), Ordering::Relaxed),
            }
        }

        fn property(&self, _: usize, spec: &glib::ParamSpec) -> glib::Value {
            match spec.name() {
                "bitrate" => lock(&self.kbps).to_value(),
                "stubborn" => self.stubborn.load(Ordering::Relaxed).to_value(),
                _ => self.frozen.load(Ordering::Relaxed).to_value(),
            }
        }

        fn constructed(&self) {
            self.parent_constructed();
            self.obj().add_pad(&self.sink).unwrap();
            self.obj().add_pad(&self.src).unwrap();
        }
    }

    impl GstObjectImpl for TestEncoder {}

    impl ElementImpl for TestEncoder {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            Some(encoder_metadata())
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            templates()
        }
    }

    #[derive(Default)]
    pub struct Controlled(Mutex<Option<gst::Structure>>);

    #[glib::object_subclass]
    impl ObjectSubclass for Controlled {
        const NAME: &'static str = "LiveTuneTestControlledEncoder";
        type Type = super::Controlled;
        type ParentType = gst_base::BaseTransform;
    }

    impl ObjectImpl for Controlled {
        fn properties() -> &'static [glib::ParamSpec] {
            static PROPERTIES: LazyLock<[glib::ParamSpec; 1]> = LazyLock::new(|| {
                [glib::ParamSpecBoxed::builder::<gst::Structure>("extra-controls").build()]
            });
            &*PROPERTIES
        }

        fn set_property(&self, _: usize, value: &glib::Value, _: &glib::ParamSpec) {
            *lock(&self.0) = value.get().unwrap();
        }

        fn property(&self, _: usize, _: &glib::ParamSpec) -> glib::Value {
            lock(&self.0).to_value()
        }
    }

    impl GstObjectImpl for Controlled {}

    impl ElementImpl for Controlled {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            Some(encoder_metadata())
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            templates()
        }
    }

    impl BaseTransformImpl for Controlled {
        const MODE: gst_base::subclass::BaseTransformMode =
            gst_base::subclass::BaseTransformMode::AlwaysInPlace;
        const PASSTHROUGH_ON_SAME_CAPS: bool = true;
        const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;
    }

    fn templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let any = gst::Caps::new_any();
            let always = gst::PadPresence::Always;
            let pad =
                |name, direction| gst::PadTemplate::new(name, direction, always, &any).unwrap();
            vec![
                pad("sink", gst::PadDirection::Sink),
                pad("src", gst::PadDirection::Src),
            ]
        });
        &TEMPLATES
    }
}
