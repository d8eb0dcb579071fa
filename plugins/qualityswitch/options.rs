//! Words that properties can be set to.

use gst::glib;
use livetune_core::quality;

/// What scales.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, glib::Enum)]
#[enum_type(name = "GstLiveTuneQualitySwitchScaler")]
pub enum ScalerChoice {
    /// By the memory that frames lie in.
    #[default]
    #[enum_value(
        name = "What the memory of the frames asks for, where it is installed",
        nick = "auto"
    )]
    Auto,
    /// For system memory.
    #[enum_value(
        name = "GStreamer's software scaler, for system memory",
        nick = "videoconvertscale"
    )]
    Videoconvertscale,
    /// For CUDA memory.
    #[enum_value(
        name = "NVIDIA's GPU, for memory:CUDAMemory (needs the plugin nvcodec, 1.20 or later)",
        nick = "cudascale"
    )]
    Cudascale,
    /// For VA memory.
    #[enum_value(
        name = "VA-API, for system memory, memory:VAMemory and memory:DMABuf (needs the plugin va)",
        nick = "vapostproc"
    )]
    Vapostproc,
    /// Sizes stay.
    #[enum_value(name = "Nothing: only the frame rate changes", nick = "none")]
    None,
}

/// What may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, glib::Enum)]
#[enum_type(name = "GstLiveTuneQualitySwitchStepMode")]
pub enum StepMode {
    /// Size and frame rate.
    #[default]
    #[enum_value(name = "Size and frame rate", nick = "both")]
    Both,
    /// Only the size.
    #[enum_value(
        name = "The size; the frame rate stays that of the best rung",
        nick = "size"
    )]
    Size,
    /// Only the frame rate.
    #[enum_value(
        name = "The frame rate, which costs no key frame; the size stays that of the best rung",
        nick = "rate"
    )]
    Rate,
}

impl From<StepMode> for quality::StepMode {
    fn from(mode: StepMode) -> Self {
        match mode {
            StepMode::Both => Self::Both,
            StepMode::Size => Self::Size,
            StepMode::Rate => Self::Rate,
        }
    }
}

/// What is given up last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, glib::Enum)]
#[enum_type(name = "GstLiveTuneQualitySwitchPreference")]
pub enum Preference {
    /// The ladder as it is written.
    #[default]
    #[enum_value(name = "The rungs as they are written", nick = "balanced")]
    Balanced,
    /// Motion.
    #[enum_value(
        name = "Motion: sizes go down first, frame rates at the least size",
        nick = "smooth"
    )]
    Smooth,
    /// Detail.
    #[enum_value(
        name = "Detail: frame rates go down first, sizes at the least rate",
        nick = "sharp"
    )]
    Sharp,
    /// A rate that follows the time of a frame.
    #[enum_value(
        name = "The best size, at 25 to 5 frames a second as the mean time of 50 frames allows: over 1.5 times \
                latency-target (100 ms without one) two a second less, under 0.7 times one more",
        nick = "paced"
    )]
    Paced,
}

impl From<Preference> for quality::Preference {
    fn from(preference: Preference) -> Self {
        match preference {
            Preference::Balanced => Self::Balanced,
            Preference::Smooth => Self::Smooth,
            Preference::Sharp => Self::Sharp,
            Preference::Paced => Self::Paced,
        }
    }
}
