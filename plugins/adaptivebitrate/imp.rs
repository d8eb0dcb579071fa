//! The GObject of adaptivebitrate: properties, pads and the way of buffers through it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_transform::GenerateOutputSuccess;
use gst_base::subclass::prelude::*;
use livetune_core::units::Bitrate;

use super::Profile;
use super::encoder::{Applied, Frame};
use super::settings::Settings;
use super::state::State;
use super::transport::{self, twcc};
use crate::runtime::figures::{self, Figure};
use crate::runtime::lock::lock;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::{self, Observed};
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
                 max-bitrate (bit/s), encoder-bitrate (bit/s, what it is told), encoder-gain (times the target), \
                 feedback (twcc, rtcp, rist, srt, backpressure, none), and the names of encoder and transport (none \
                 where not found)"
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

    /// Takes `change` over where the limits can be kept then, or where nothing runs yet.
    fn change_limits(&self, change: impl FnOnce(&mut Settings)) {
        guard::guard("adaptivebitrate's limits", (), || {
            let mut wanted = lock(&self.settings).clone();
            change(&mut wanted);
            if let Err(text) = self.set_limits(&wanted) {
                gst::element_imp_warning!(
                    self,
                    gst::LibraryError::Settings,
                    ("{text}; nothing changed")
                );
                return;
            }
            let mut settings = lock(&self.settings);
            settings.min_bitrate = wanted.min_bitrate;
            settings.max_bitrate = wanted.max_bitrate;
        });
    }

    fn set_limits(&self, settings: &Settings) -> Result<(), String> {
        match &mut *lock(&self.state) {
            Some(state) => {
                let limits = settings.limits()?;
                state.set_limits(limits).map_err(|error| error.to_string())
            }
            None => Ok(()),
        }
    }

    fn on_buffer(&self, buffer: &gst::BufferRef) {
        let now = clock::monotonic();
        if self.is_search_due(now) {
            self.find_encoder(now);
            self.find_transports(now);
        }
        let frame = Frame::of(buffer);
        let media = transport::running_time(self.obj().sink_pad(), buffer);
        let observe = |state: &mut State| {
            let act = state.on_buffer(frame, media, now);
            (act, state.late_trouble(now))
        };
        let (act, trouble) = lock(&self.state).as_mut().map(observe).unwrap_or_default();
        if let Some(act) = act {
            self.act(&act);
        }
        self.tell(trouble);
    }
}

/// The frames a second that `caps` promise.
fn frame_rate(caps: &gst::CapsRef) -> Option<f64> {
    let rate = caps.structure(0)?.get::<gst::Fraction>("framerate").ok()?;
    Some(f64::from(rate.numer()) / f64::from(rate.denom()))
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

impl BaseTransformImpl for AdaptiveBitrate {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let settings_error =
            |text: String| gst::error_msg!(gst::LibraryError::Settings, ("{text}"));
        let limits = settings.limits().map_err(settings_error)?;
        let start = Some(settings.start_bitrate).filter(|bps| *bps > 0);
        let start = start.map(|bps| Bitrate::from_bps(bps.into()));
        let registration = telemetry::register(self, super::FACTORY, None);
        let state = State::new(limits, start, registration);
        let state = state.map_err(|error| settings_error(error.to_string()))?;
        *lock(&self.state) = Some(state);
        self.apply_profile();
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let state = lock(&self.state).take();
        if let Some((encoder, setting)) = state.as_ref().and_then(State::farewell) {
            encoder.set(setting);
        }
        drop(state);
        self.target.store(0, Ordering::Relaxed);
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if matches!(
            event.type_(),
            gst::EventType::StreamStart | gst::EventType::Caps
        ) {
            self.relinked.store(true, Ordering::Relaxed);
        }
        if event.type_() == gst::EventType::FlushStop
            && let Some(state) = &mut *lock(&self.state)
        {
            state.network.on_flush();
        }
        if let gst::EventView::Caps(caps) = event.view() {
            let rate = frame_rate(caps.caps());
            let mut state = lock(&self.state);
            if let Some(state) = state.as_mut() {
                state.on_caps(rate);
            }
        }
        self.parent_sink_event(event)
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::Reconfigure {
            self.relinked.store(true, Ordering::Relaxed);
        }
        if let Some(packets) = event.structure().filter(|s| s.name() == twcc::EVENT)
            && let Some(state) = &mut *lock(&self.state)
        {
            state.network.on_twcc(packets, clock::monotonic());
        }
        self.parent_src_event(event)
    }

    fn generate_output(&self) -> Result<GenerateOutputSuccess, gst::FlowError> {
        // The base class asks again as soon as it has pushed the last output.
        self.on_push_returned();
        let output = self.parent_generate_output()?;
        if let GenerateOutputSuccess::Buffer(buffer) = &output {
            self.on_push(buffer);
        }
        Ok(output)
    }

    fn transform_ip_passthrough(
        &self,
        buffer: &gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.on_buffer(buffer);
        Ok(gst::FlowSuccess::Ok)
    }
}
