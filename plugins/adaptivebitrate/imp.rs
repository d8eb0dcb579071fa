//! The GObject of adaptivebitrate: properties, pads and the way of buffers through it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::glib::subclass::Signal;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;

use super::Mode;
use super::Profile;
use super::encoder::Applied;
use super::settings::Settings;
use super::state::State;
use super::steering::BITRATE_CHANGED;
use crate::runtime::figures::{self, Figure};
use crate::runtime::lock::lock;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::Observed;
use crate::runtime::{clock, guard, pads};

const STATS: &str = "application/x-livetune-adaptivebitrate-stats";

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        super::FACTORY,
        gst::DebugColorFlags::empty(),
        Some("Bit rate that follows the network"),
    )
});

#[derive(Default, glib::Properties)]
#[properties(wrapper_type = super::AdaptiveBitrate)]
pub struct AdaptiveBitrate {
    #[property(
        name = "min-bitrate",
        type = u32,
        get = |this: &Self| lock(&this.settings).min_bitrate,
        set = |this: &Self, bps| this.change_limits(|settings| settings.min_bitrate = bps),
        minimum = Settings::LEAST_BITRATE,
        default = Settings::DEFAULT.min_bitrate,
        mutable_playing,
        nick = "Minimum bit rate",
        blurb = "Never have the encoder send less than this (bit/s); at most max-bitrate"
    )]
    #[property(
        name = "max-bitrate",
        type = u32,
        get = |this: &Self| lock(&this.settings).max_bitrate,
        set = |this: &Self, bps| this.change_limits(|settings| settings.max_bitrate = bps),
        minimum = Settings::LEAST_BITRATE,
        default = Settings::DEFAULT.max_bitrate,
        mutable_playing,
        nick = "Maximum bit rate",
        blurb = "Never have the encoder send more than this (bit/s); at least min-bitrate"
    )]
    #[property(
        name = "start-bitrate",
        type = u32,
        member = start_bitrate,
        get,
        set,
        default = Settings::DEFAULT.start_bitrate,
        mutable_ready,
        nick = "Start bit rate",
        blurb = "What to start with (bit/s), within the limits (0 = what the encoder is set to, or sends where it knows no rate)"
    )]
    #[property(
        name = "encoder",
        type = Option<String>,
        member = encoder,
        get,
        set,
        mutable_ready,
        nick = "Encoder",
        blurb = "Name of the encoder element to drive (NULL = the nearest one upstream)"
    )]
    #[property(
        name = "profile",
        type = Profile,
        member = profile,
        get,
        set,
        mutable_ready,
        nick = "Profile of the encoder",
        blurb = "What to set the encoder up for before it starts: sets only properties that it has and that are at \
                 their defaults; encoder-settings says which",
        builder(Settings::DEFAULT.profile)
    )]
    #[property(
        name = "transport",
        type = Option<String>,
        member = transport,
        get,
        set,
        mutable_ready,
        nick = "Transport",
        blurb = "Name of the element that carries the stream: rtpbin, webrtcbin or a sink (NULL = all downstream)"
    )]
    #[property(
        name = "enabled",
        type = bool,
        get = |this: &Self| lock(&this.settings).enabled,
        set = |this: &Self, enabled| this.enable(enabled),
        default = Settings::DEFAULT.enabled,
        mutable_playing,
        nick = "Enabled",
        blurb = "Set the encoder's bit rate; where not, it stays as it is and the network is only watched"
    )]
    #[property(
        name = "mode",
        type = Mode,
        get = |this: &Self| lock(&this.settings).tuning.mode,
        set = |this: &Self, mode| this.tune(|tuning| tuning.mode = mode),
        mutable_playing,
        nick = "Mode",
        blurb = "How the bit rate is found",
        builder(Settings::DEFAULT.tuning.mode)
    )]
    #[property(
        name = "step-size",
        type = u32,
        get = |this: &Self| lock(&this.settings).tuning.step_size,
        set = |this: &Self, bps| this.tune(|tuning| tuning.step_size = bps),
        default = Settings::DEFAULT.tuning.step_size,
        mutable_playing,
        nick = "Step size",
        blurb = "Bit rates are multiples of this, or a limit (bit/s; 0 = any rate; in mode fixed-step the size of a step, \
                 0 = 500000)"
    )]
    #[property(
        name = "adjustment-interval",
        type = u32,
        get = |this: &Self| lock(&this.settings).tuning.adjustment_interval,
        set = |this: &Self, ms| this.tune(|tuning| tuning.adjustment_interval = ms),
        default = Settings::DEFAULT.tuning.adjustment_interval,
        mutable_playing,
        nick = "Adjustment interval",
        blurb = "Least time between two rises, in milliseconds (0 = as fast as feedback allows; in mode fixed-step the \
                 time between two steps, 0 = 5000). In mode auto the bit rate falls at once"
    )]
    #[property(
        name = "quality-threshold",
        type = f64,
        get = |this: &Self| lock(&this.settings).tuning.quality_threshold,
        set = |this: &Self, part| this.tune(|tuning| tuning.quality_threshold = part),
        minimum = 0.0,
        maximum = 1.0,
        default = Settings::DEFAULT.tuning.quality_threshold,
        mutable_playing,
        nick = "Quality threshold",
        blurb = "Fraction of the packets that must arrive, else the bit rate falls (0 = loss that does not follow the \
                 bit rate is borne; in mode fixed-step 0.95)"
    )]
    #[property(
        name = "group",
        type = Option<String>,
        get = |this: &Self| lock(&this.settings).tuning.group.clone(),
        set = |this: &Self, name: Option<String>| this.tune(|tuning| tuning.group = name.clone()),
        mutable_playing,
        nick = "Group",
        blurb = "Name of the group of streams in this process that share a bottleneck: what their transports carry is \
                 divided among them (NULL = all that go through the same transport)"
    )]
    #[property(
        name = "weight",
        type = f64,
        get = |this: &Self| lock(&this.settings).tuning.weight,
        set = |this: &Self, weight| this.tune(|tuning| tuning.weight = weight),
        minimum = 0.01,
        maximum = 100.0,
        default = Settings::DEFAULT.tuning.weight,
        mutable_playing,
        nick = "Weight",
        blurb = "Part of the group's bit rate, beside the others of the same priority"
    )]
    #[property(
        name = "priority",
        type = i32,
        get = |this: &Self| lock(&this.settings).tuning.priority,
        set = |this: &Self, priority| this.tune(|tuning| tuning.priority = priority),
        default = Settings::DEFAULT.tuning.priority,
        mutable_playing,
        nick = "Priority",
        blurb = "Streams of a higher priority get up to their max-bitrate before lower ones get more than their \
                 min-bitrate"
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
        blurb = "Post an element message livetune-bitrate when the bit rate changes, at most ten a second"
    )]
    pub(super) settings: Mutex<Settings>,
    #[property(
        name = "stats",
        type = Stats,
        get = Self::stats,
        nick = "Statistics",
        blurb = "The fields of livetune-bitrate, and jitter (ns), sent-bitrate (bit/s), reports, min-bitrate, \
                 max-bitrate (bit/s), encoder-bitrate (bit/s, what it is told) and encoder-gain (times the target), \
                 estimated-bitrate and other-bitrate (bit/s), overhead, streams, feedback (twcc, rtcp, rist, srt, \
                 backpressure, none), and the names of encoder and transport (none where not found)"
    )]
    pub(super) state: Mutex<Option<State>>,
    #[property(
        name = "target-bitrate",
        type = u32,
        get = |this: &Self| this.target.load(Ordering::Relaxed),
        nick = "Target bit rate",
        blurb = "What the encoder is to send (bit/s), with notify (0 = not set yet)"
    )]
    pub(super) target: AtomicU32,
    #[property(
        name = "estimated-bitrate",
        type = u32,
        get = |this: &Self| this.estimate.load(Ordering::Relaxed),
        nick = "Estimated bit rate",
        blurb = "What the network carries (bit/s): headers, and all streams of the transport, with notify (0 = not \
                 known yet)"
    )]
    pub(super) estimate: AtomicU32,
    #[property(
        name = "encoder-settings",
        type = Option<String>,
        get = |this: &Self| lock(&this.applied).text(),
        nick = "Settings of the encoder",
        blurb = "What profile has set on the encoder, as gst-launch-1.0 takes it (NULL = nothing)"
    )]
    pub(super) applied: Mutex<Applied>,
    /// It is away for that.
    pub(super) applying: AtomicBool,
    /// Something upstream or downstream was linked anew.
    pub(super) relinked: AtomicBool,
}

impl AdaptiveBitrate {
    fn stats(&self) -> Stats {
        guard::guard(
            "adaptivebitrate's stats",
            Stats(gst::Structure::new_empty(STATS)),
            || Stats(figures::structure(STATS, &self.figures())),
        )
    }
}

impl Observed for AdaptiveBitrate {
    fn figures(&self) -> Vec<Figure> {
        let now = clock::monotonic();
        let mut state = lock(&self.state);
        state
            .as_mut()
            .map(|state| state.figures(now))
            .unwrap_or_default()
    }
}

#[glib::object_subclass]
impl ObjectSubclass for AdaptiveBitrate {
    const NAME: &'static str = "GstLiveTuneAdaptiveBitrate";
    type Type = super::AdaptiveBitrate;
    type ParentType = gst_base::BaseTransform;
    type Interfaces = (gst::Preset,);
}

#[glib::derived_properties]
impl ObjectImpl for AdaptiveBitrate {
    fn constructed(&self) {
        self.parent_constructed();
        self.obj().set_passthrough(true);
        let this = self.obj().downgrade();
        self.obj().sink_pad().connect_linked(move |_, _| {
            guard::guard("adaptivebitrate's look at its new neighbour", (), || {
                // Before that the application is still at it.
                let running =
                    |this: &super::AdaptiveBitrate| this.current_state() >= gst::State::Ready;
                if let Some(this) = this.upgrade().filter(running) {
                    this.imp().apply_profile();
                }
            });
        });
    }

    fn signals() -> &'static [Signal] {
        static SIGNALS: LazyLock<Vec<Signal>> = LazyLock::new(|| {
            let types = [u32::static_type(), String::static_type()];
            vec![Signal::builder(BITRATE_CHANGED).param_types(types).build()]
        });
        &SIGNALS
    }
}

impl GstObjectImpl for AdaptiveBitrate {}

impl PresetImpl for AdaptiveBitrate {}

impl ElementImpl for AdaptiveBitrate {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Adaptive bit rate",
                "Filter/Network/Bitrate",
                "Congestion control: sets the encoder upstream to the bit rate that the network carries, over RTP, \
                 WebRTC, SRT, RIST, RTMP and TCP",
                "livetune developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| pads::always(&gst::Caps::new_any()));
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::NullToReady
            && let Err(text) = lock(&self.settings).clone().limits()
        {
            gst::element_imp_error!(self, gst::LibraryError::Settings, ("{text}"));
            return Err(gst::StateChangeError);
        }
        if transition == gst::StateChange::NullToReady {
            self.apply_profile();
        }
        self.parent_change_state(transition)
    }
}
