//! A source with a pool of its own, as cameras have it: so many buffers and no more.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_src::CreateSuccess;
use gst_base::subclass::prelude::*;

use super::taken;
use crate::support::pipeline::Pipeline;

const WIDTH: u32 = 64;
const HEIGHT: u32 = 48;
pub const FRAME: u32 = WIDTH * HEIGHT;
const FRAMES_PER_SECOND: u64 = 30;

mod imp {
    use std::sync::LazyLock;

    use super::*;

    #[derive(Default)]
    pub struct Camera {
        /// Buffers of its pool; 0 = as v4l2src: what downstream asks for, and two more.
        pub fixed: AtomicU32,
        /// Frames until the end; 0 = no end.
        pub frames: AtomicU64,
        pub made: AtomicU64,
        /// Times that no buffer was there when it wanted one.
        pub starved: AtomicU64,
        /// What downstream asked for: size and minimum, and the kind of the pool.
        pub asked: Mutex<Option<(u32, u32, Option<String>)>>,
        pub pool: Mutex<Option<gst::BufferPool>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Camera {
        const NAME: &'static str = "LiveTuneTestCamera";
        type Type = super::Camera;
        type ParentType = gst_base::PushSrc;
    }

    impl ObjectImpl for Camera {
        fn constructed(&self) {
            self.parent_constructed();
            self.obj().set_format(gst::Format::Time);
        }
    }

    impl GstObjectImpl for Camera {}

    impl ElementImpl for Camera {
        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
                let caps = gst::Caps::builder("video/x-raw")
                    .field("format", "GRAY8")
                    .field("width", WIDTH as i32)
                    .field("height", HEIGHT as i32)
                    .field("framerate", gst::Fraction::new(FRAMES_PER_SECOND as i32, 1))
                    .build();
                let (direction, presence) = (gst::PadDirection::Src, gst::PadPresence::Always);
                vec![gst::PadTemplate::new("src", direction, presence, &caps).unwrap()]
            });
            &TEMPLATES
        }
    }

    impl BaseSrcImpl for Camera {
        fn decide_allocation(
            &self,
            query: &mut gst::query::Allocation,
        ) -> Result<(), gst::LoggableError> {
            let asked = query.allocation_pools().next().map(|(pool, size, min, _)| {
                (size, min, pool.map(|pool| pool.type_().name().to_owned()))
            });
            let min = asked.as_ref().map_or(0, |asked| asked.1);
            *taken(&self.asked) = asked;
            let count = match self.fixed.load(Ordering::Relaxed) {
                0 => min + 2,
                fixed => fixed,
            };
            let pool = gst::BufferPool::new();
            let mut config = pool.config();
            let caps = query.get_owned().0;
            config.set_params(caps.as_ref(), FRAME, count, count);
            pool.set_config(config)?;
            pool.set_active(true)?;
            *taken(&self.pool) = Some(pool);
            Ok(())
        }

        fn unlock(&self) -> Result<(), gst::ErrorMessage> {
            let pool = taken(&self.pool).clone();
            if let Some(pool) = pool {
                pool.set_flushing(true);
            }
            Ok(())
        }

        fn unlock_stop(&self) -> Result<(), gst::ErrorMessage> {
            let pool = taken(&self.pool).clone();
            if let Some(pool) = pool {
                pool.set_flushing(false);
            }
            Ok(())
        }

        fn stop(&self) -> Result<(), gst::ErrorMessage> {
            let pool = taken(&self.pool).take();
            if let Some(pool) = pool {
                let _ = pool.set_active(false);
            }
            self.made.store(0, Ordering::Relaxed);
            Ok(())
        }
    }

    impl PushSrcImpl for Camera {
        fn create(
            &self,
            _buffer: Option<&mut gst::BufferRef>,
        ) -> Result<CreateSuccess, gst::FlowError> {
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            let frames = self.frames.load(Ordering::Relaxed);
            if frames > 0 && number >= frames {
                return Err(gst::FlowError::Eos);
            }
            let pool = taken(&self.pool).clone().ok_or(gst::FlowError::Error)?;
            let at_once =
                gst::BufferPoolAcquireParams::with_flags(gst::BufferPoolAcquireFlags::DONTWAIT);
            let mut buffer = match pool.acquire_buffer(Some(&at_once)) {
                Err(gst::FlowError::Eos) => {
                    self.starved.fetch_add(1, Ordering::Relaxed);
                    pool.acquire_buffer(None)?
                }
                other => other?,
            };
            let target = buffer.get_mut().unwrap();
            target.map_writable().unwrap().fill(number as u8);
            target.set_pts(gst::ClockTime::SECOND * number / FRAMES_PER_SECOND);
            target.set_duration(gst::ClockTime::SECOND / FRAMES_PER_SECOND);
            Ok(CreateSuccess::NewBuffer(buffer))
        }
    }
}

glib::wrapper! {
    pub struct Camera(ObjectSubclass<imp::Camera>)
        @extends gst_base::PushSrc, gst_base::BaseSrc, gst::Element, gst::Object;
}

impl Camera {
    /// A camera with `buffers` buffers (0 = as many as downstream asks for, and two) that ends after `frames`, in front
    /// of `line`.
    pub fn in_front_of(line: &str, buffers: u32, frames: u64) -> (Self, Pipeline) {
        // A line of one element is no pipeline.
        let pipeline = Pipeline::parse(&format!("identity name=first ! {line}"));
        let camera: Self = glib::Object::new();
        camera.imp().fixed.store(buffers, Ordering::Relaxed);
        camera.imp().frames.store(frames, Ordering::Relaxed);
        pipeline.add(&camera).unwrap();
        camera.link(&pipeline.element("first")).unwrap();
        (camera, pipeline)
    }

    pub fn starved(&self) -> u64 {
        self.imp().starved.load(Ordering::Relaxed)
    }

    /// Size, minimum and kind of pool that downstream answered with.
    pub fn asked(&self) -> Option<(u32, u32, Option<String>)> {
        taken(&self.imp().asked).clone()
    }
}
