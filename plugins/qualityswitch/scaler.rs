//! The stock elements inside: a scaler that fits the memory of the frames, and the filter that tells it the size.

use gst::prelude::*;

use super::options::ScalerChoice;

const SYSTEM: &str = "memory:SystemMemory";
const CUDA: &str = "memory:CUDAMemory";
const VA: &str = "memory:VAMemory";
const DMA: &str = "memory:DMABuf";

/// What can scale, and in which memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Engine {
    factory: &'static str,
    package: &'static str,
    memory: &'static [&'static str],
}

const SOFTWARE: Engine = Engine {
    // As videoconvertscale, but that formats stay.
    factory: "videoscale",
    package: "GStreamer Base Plugins (Debian: gstreamer1.0-plugins-base)",
    memory: &[SYSTEM],
};
const NVIDIA: Engine = Engine {
    factory: "cudascale",
    package: "the plugin nvcodec of GStreamer Bad Plugins 1.20 or later (Debian: gstreamer1.0-plugins-bad)",
    memory: &[CUDA],
};
const VAAPI: Engine = Engine {
    factory: "vapostproc",
    package: "the plugin va of GStreamer Bad Plugins (Debian: gstreamer1.0-plugins-bad)",
    memory: &[VA, DMA, SYSTEM],
};
/// What `auto` takes the first of that takes the memory.
const BY_MEMORY: [Engine; 3] = [SOFTWARE, NVIDIA, VAAPI];

impl Engine {
    fn takes(&self, features: &gst::CapsFeaturesRef) -> bool {
        let system = features.is_equal(gst::CAPS_FEATURES_MEMORY_SYSTEM_MEMORY.as_ref());
        let mut memory = self.memory.iter();
        memory.any(|memory| match *memory {
            SYSTEM => system,
            other => features.contains(other),
        })
    }

    fn is_installed(&self) -> bool {
        gst::ElementFactory::find(self.factory).is_some()
    }
}

impl ScalerChoice {
    /// What scales frames with those `features`; `None` where nothing does.
    pub(super) fn engine_for(self, features: &gst::CapsFeaturesRef) -> Option<Engine> {
        let mut engines = self.engines().iter();
        engines
            .find(|engine| engine.takes(features) && engine.is_installed())
            .copied()
    }

    /// What is there before anybody knows the frames.
    pub(super) fn engine_at_first(self) -> Option<Engine> {
        self.engines().first().copied()
    }

    fn engines(self) -> &'static [Engine] {
        match self {
            Self::Auto => &BY_MEMORY,
            Self::Videoconvertscale => &BY_MEMORY[..1],
            Self::Cudascale => &BY_MEMORY[1..2],
            Self::Vapostproc => &BY_MEMORY[2..],
            Self::None => &[],
        }
    }
}

/// The scaler, where there is one, and the filter behind it, linked.
#[derive(Clone, Debug)]
pub(super) struct Scaler {
    engine: Option<Engine>,
    scale: Option<gst::Element>,
    size: gst::Element,
}

impl Scaler {
    /// Puts a scaler into `bin`.
    pub(super) fn new(bin: &gst::Bin, engine: Option<Engine>) -> Result<Self, gst::ErrorMessage> {
        let scale = make_scale(engine)?;
        let size = make(
            "capsfilter",
            "size",
            "GStreamer itself (Debian: libgstreamer1.0-0)",
        )?;
        bin.add(&size).map_err(not_placed)?;
        let mut scaler = Self {
            engine: None,
            scale: None,
            size,
        };
        scaler.place(bin, engine, scale)?;
        Ok(scaler)
    }

    /// Has frames scaled by `engine` from now on. To be called where no frame is inside; the input is another one then.
    pub(super) fn replace(
        &mut self,
        bin: &gst::Bin,
        engine: Option<Engine>,
    ) -> Result<(), gst::ErrorMessage> {
        let scale = make_scale(engine)?;
        self.place(bin, engine, scale)
    }

    fn place(
        &mut self,
        bin: &gst::Bin,
        engine: Option<Engine>,
        scale: Option<gst::Element>,
    ) -> Result<(), gst::ErrorMessage> {
        if let Some(old) = self.scale.take() {
            bin.remove(&old).map_err(not_placed)?;
            // One that does not stop is no longer ours.
            let _ = old.set_state(gst::State::Null);
        }
        self.engine = engine;
        if let Some(scale) = scale {
            set_up(&scale);
            // What the one before was asked for is not to be held against this one.
            self.set_output(&gst::Caps::new_any());
            bin.add(&scale)
                .and_then(|()| scale.link(&self.size))
                .and_then(|()| scale.sync_state_with_parent())
                .map_err(not_placed)?;
            self.scale = Some(scale);
        }
        Ok(())
    }

    /// Whether it is `engine` that scales.
    pub(super) fn is(&self, engine: Option<Engine>) -> bool {
        self.engine == engine && self.scale.is_some() == engine.is_some()
    }

    /// Whether it can scale frames of `caps`.
    pub(super) fn takes(&self, caps: &gst::CapsRef) -> bool {
        let features = caps.features(0);
        let engine = self.engine;
        engine.is_some_and(|engine| features.is_some_and(|features| engine.takes(features)))
    }

    /// The name of the element that scales.
    pub(super) fn name(&self) -> &'static str {
        self.engine.map_or("none", |engine| engine.factory)
    }

    /// Where frames go in.
    pub(super) fn input(&self) -> Option<gst::Pad> {
        let first = self.scale.as_ref().unwrap_or(&self.size);
        first.static_pad("sink")
    }

    /// Where they come out.
    pub(super) fn output(&self) -> Option<gst::Pad> {
        self.size.static_pad("src")
    }

    /// Only `caps` come out from the next frame on. To be called where frames go in, between two of them.
    pub(super) fn set_output(&self, caps: &gst::Caps) {
        self.size.set_property("caps", caps);
    }
}

fn make_scale(engine: Option<Engine>) -> Result<Option<gst::Element>, gst::ErrorMessage> {
    let made = engine.map(|engine| make(engine.factory, "scale", engine.package));
    made.transpose()
}

/// The shape is kept by the sizes asked for: borders would only fill a last line lost to rounding. Late frames are for
/// the sink to drop, which counts them. Of the software's methods this is the fastest: 4K to 720p in 3 ms on one thread,
/// where bilinear2 takes 6; a second thread costs more than it saves.
fn set_up(scale: &gst::Element) {
    for (property, value) in [
        ("add-borders", "false"),
        ("qos", "false"),
        ("method", "bilinear"),
    ] {
        let is_software = scale
            .factory()
            .is_some_and(|f| f.name() == SOFTWARE.factory);
        let has = scale.find_property(property).is_some();
        if has && (is_software || property != "method") {
            scale.set_property_from_str(property, value);
        }
    }
}

fn not_placed(error: gst::glib::BoolError) -> gst::ErrorMessage {
    gst::error_msg!(
        gst::CoreError::Failed,
        ("The scaler cannot be put in place: {error}")
    )
}

fn make(factory: &str, name: &str, package: &str) -> Result<gst::Element, gst::ErrorMessage> {
    let made = gst::ElementFactory::make(factory).name(name).build();
    made.map_err(|error| {
        gst::error_msg!(
            gst::CoreError::MissingPlugin,
            ("The element {factory} is missing: install {package}"),
            ["{error}"]
        )
    })
}
