//! The GObject of qualityswitch: properties, its scaler and its pads.

use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::thread::ThreadId;

use gst::glib;
use gst::glib::subclass::Signal;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::quality::DEFAULT_LADDER;

use super::scaler::Scaler;
use super::sensors::{Push, Watch};
use super::settings::Settings;
use super::simulcast::Renditions;
use super::state::State;
use super::{Preference, ScalerChoice, Sensors, StepMode};
use crate::runtime::figures::{self, Figure};
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::Observed;

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "qualityswitch",
        gst::DebugColorFlags::empty(),
        Some("Size and frame rate by level"),
    )
});

/// The signal: the level before, the one that holds now, and why.
pub(super) const LEVEL_CHANGED: &str = "level-changed";

const STATS: &str = "application/x-livetune-qualityswitch-stats";

#[derive(Default, glib::Properties)]
#[properties(wrapper_type = super::QualitySwitch)]
pub struct QualitySwitch {
    #[property(
        name = "level",
        type = Option<String>,
        get = Self::level,
        set = Self::set_level,
        mutable_playing,
        nick = "Level",
        blurb = "Name of the rung of the ladder that is sent. With auto=false it can be set at any time and holds from the next frame on; with auto=true, set before the start, it is the rung to begin with (NULL = the best that the input allows)"
    )]
    #[property(
        name = "auto",
        type = bool,
        get = Self::auto,
        set = Self::set_auto,
        default = Settings::DEFAULT.auto,
        mutable_playing,
        nick = "Automatic",
        blurb = "Choose the level by what the sensors say; false = the level that is set holds"
    )]
    #[property(
        name = "ladder",
        type = Option<String>,
        get = |imp: &Self| Some(lock(&imp.settings).ladder_text().to_owned()),
        set = |imp: &Self, ladder| lock(&imp.settings).ladder = ladder,
        default = Some(DEFAULT_LADDER),
        mutable_ready,
        nick = "Ladder",
        blurb = "The levels as NAME=WIDTHxHEIGHT@RATE with commas between, the best first: the box in pixels that the picture must fit in and the most frames per second (30 or 30000/1001)"
    )]
    #[property(
        name = "min-rung",
        type = Option<String>,
        member = min_rung,
        get,
        set,
        mutable_ready,
        nick = "Least rung",
        blurb = "Name of the rung that is never gone below (NULL = the last of the ladder)"
    )]
    #[property(
        name = "max-rung",
        type = Option<String>,
        member = max_rung,
        get,
        set,
        mutable_ready,
        nick = "Best rung",
        blurb = "Name of the rung that is never gone above (NULL = the first of the ladder)"
    )]
    #[property(
        name = "step-mode",
        type = StepMode,
        member = step_mode,
        get,
        set,
        mutable_ready,
        nick = "Step mode",
        blurb = "What changes from one level to the next. rate is for what cannot change its size, as matroskamux behind an encoder",
        builder(Settings::DEFAULT.step_mode)
    )]
    #[property(
        name = "preference",
        type = Preference,
        member = preference,
        get,
        set,
        mutable_ready,
        nick = "Preference",
        blurb = "Which of size and frame rate is given up last",
        builder(Settings::DEFAULT.preference)
    )]
    #[property(
        name = "scaler",
        type = ScalerChoice,
        member = scaler,
        get,
        set,
        mutable_ready,
        nick = "Scaler",
        blurb = "What changes the size: frames in memory that it does not take pass at their own size, with fewer of them",
        builder(Settings::DEFAULT.scaler)
    )]
    #[property(
        name = "sensors",
        type = Sensors,
        get = |imp: &Self| lock(&imp.settings).sensors,
        set = Self::set_sensors,
        default = Settings::DEFAULT.sensors,
        mutable_playing,
        nick = "Sensors",
        blurb = "What may move the level, with auto=true. chain and queue speak where frames come from something live; throttling, pressure and gpu speak of others too, and are heard where another one finds the load raised, or no other speaks"
    )]
    #[property(
        name = "latency-target",
        type = u32,
        member = latency_target,
        get,
        set = |imp: &Self, value| imp.tune(|settings| settings.latency_target = value),
        maximum = Settings::MOST_LATENCY,
        default = Settings::DEFAULT.latency_target,
        mutable_playing,
        nick = "Latency target",
        blurb = "How late frames may be where latencytracer or gpuinfer behind says how late they are, in milliseconds (0 = what these say)"
    )]
    #[property(
        name = "busy-high",
        type = f64,
        member = busy_high,
        get,
        set = |imp: &Self, value| imp.tune(|settings| settings.busy_high = value),
        minimum = 0.1,
        maximum = 1.0,
        default = Settings::DEFAULT.busy_high,
        mutable_playing,
        nick = "Busy high",
        blurb = "Part of the time between two frames from which on the elements behind are too busy with one: a step down after down-hold"
    )]
    #[property(
        name = "down-hold",
        type = u32,
        member = down_hold,
        get,
        set = |imp: &Self, value| imp.tune(|settings| settings.down_hold = value),
        maximum = Settings::LONGEST,
        default = Settings::DEFAULT.down_hold,
        mutable_playing,
        nick = "Hold before down",
        blurb = "How long the load must be too high for a step down, in milliseconds (0 = a moment is enough)"
    )]
    #[property(
        name = "up-hold",
        type = u32,
        member = up_hold,
        get,
        set = |imp: &Self, value| imp.tune(|settings| settings.up_hold = value),
        maximum = Settings::LONGEST,
        default = Settings::DEFAULT.up_hold,
        mutable_playing,
        nick = "Hold before up",
        blurb = "How long there must have been room for the next level before it is taken, in milliseconds (0 = a moment is enough). It doubles with each step up that fails within 40 s, up to 240 s, and is 300 s while the machine stays as full as when it failed"
    )]
    #[property(
        name = "up-projected-max",
        type = f64,
        member = up_projected_max,
        get,
        set = |imp: &Self, value| imp.tune(|settings| settings.up_projected_max = value),
        minimum = 0.05,
        maximum = 1.0,
        default = Settings::DEFAULT.up_projected_max,
        mutable_playing,
        nick = "Most after a step up",
        blurb = "Part of the time between two frames that the elements behind may be expected to take after a step up; less than busy-high"
    )]
    #[property(
        name = "settle",
        type = u32,
        member = settle,
        get,
        set = |imp: &Self, value| imp.tune(|settings| settings.settle = value),
        maximum = Settings::LONGEST,
        default = Settings::DEFAULT.settle,
        mutable_playing,
        nick = "Settle",
        blurb = "How long after a change of level nothing is believed of the load, in milliseconds (0 = all is believed): a key frame and new buffers are no load"
    )]
    #[property(
        name = "group",
        type = Option<String>,
        member = group,
        get,
        set = Self::set_group,
        mutable_playing,
        nick = "Group",
        blurb = "Name of the group of this process that shares the machine: one of them steps at a time, the least priority down first and up last, unless the load is the element's own (NULL = alone)"
    )]
    #[property(
        name = "priority",
        type = i32,
        member = priority,
        get,
        set = Self::set_priority,
        default = Settings::DEFAULT.priority,
        mutable_playing,
        nick = "Priority",
        blurb = "How important this stream is in its group: the greater one keeps its level longer (0 = as all others)"
    )]
    #[property(
        name = "encoder",
        type = Option<String>,
        member = encoder,
        get,
        set,
        mutable_ready,
        nick = "Encoder",
        blurb = "Name of the encoder whose bit rate goes along with the level, in proportion to what it was set to (NULL = the next encoder behind). It is left alone where an adaptivebitrate stands behind, which sets it"
    )]
    #[property(
        name = "post-messages",
        type = bool,
        member = post_messages,
        get,
        set,
        default = Settings::DEFAULT.post_messages,
        mutable_playing,
        nick = "Post messages",
        blurb = "Post a livetune-quality element message at each change of level"
    )]
    pub(super) settings: Mutex<Settings>,
    #[property(
        name = "stats",
        type = Stats,
        get = Self::stats,
        nick = "Statistics",
        blurb = "What was done so far, times in nanoseconds and bit rates in bit/s: level, reason and sensor of the last change, load, time-at-level, time-by-reason, switches-by-reason, and counts of frames; empty in NULL and READY"
    )]
    pub(super) state: Mutex<Option<State>>,
    pub(super) pads: OnceLock<(gst::GhostPad, gst::GhostPad)>,
    pub(super) scaler: Mutex<Option<Scaler>>,
    pub(super) renditions: Mutex<Option<Renditions>>,
    pub(super) watch: Mutex<Option<Watch>>,
    /// The thread that is telling the scaler another size.
    pub(super) quiet: Mutex<Option<ThreadId>>,
    /// The frame that is on its way through the elements behind.
    pub(super) push: Arc<Push>,
}

impl QualitySwitch {
    fn stats(&self) -> Stats {
        let empty = || Stats(gst::Structure::new_empty(STATS));
        guard("qualityswitch's stats", empty(), || {
            Stats(figures::structure(STATS, &self.figures()))
        })
    }

    /// The pads `sink` and `src`.
    pub(super) fn ends(&self) -> Option<(&gst::GhostPad, &gst::GhostPad)> {
        self.pads.get().map(|(sink, src)| (sink, src))
    }
}

impl Observed for QualitySwitch {
    fn figures(&self) -> Vec<Figure> {
        let mut figures = self.with_state(|state| state.figures()).unwrap_or_default();
        if !figures.is_empty() {
            figures.extend(self.way_figures());
        }
        figures
    }
}

#[glib::object_subclass]
impl ObjectSubclass for QualitySwitch {
    const NAME: &'static str = "GstLiveTuneQualitySwitch";
    type Type = super::QualitySwitch;
    type ParentType = gst::Bin;
    type Interfaces = (gst::Preset,);
}

#[glib::derived_properties]
impl ObjectImpl for QualitySwitch {
    fn signals() -> &'static [Signal] {
        static SIGNALS: LazyLock<Vec<Signal>> = LazyLock::new(|| {
            let texts = [String::static_type(); 3];
            vec![Signal::builder(LEVEL_CHANGED).param_types(texts).build()]
        });
        &SIGNALS
    }

    fn constructed(&self) {
        self.parent_constructed();
        guard("qualityswitch's construction", (), || self.construct());
    }
}
