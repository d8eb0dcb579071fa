//! The GObject of latencytracer: properties, pads, start and stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use super::network::Network;
use super::place::Place;
use super::scope::Watching;
use super::settings::Settings;
use super::state::State;
use super::{ReportAt, ReportFormat, Scope, SlaOn, signals};
use crate::runtime::lock::lock;
use crate::runtime::pads;
use crate::runtime::stats::Stats;

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        super::FACTORY,
        gst::DebugColorFlags::empty(),
        Some("Latency of each stage"),
    )
});

#[derive(glib::Properties)]
#[properties(wrapper_type = super::LatencyTracer)]
pub struct LatencyTracer {
    pub(super) sinkpad: gst::Pad,
    pub(super) srcpad: gst::Pad,
    #[property(
        name = "stage",
        type = Option<String>,
        member = stage,
        get,
        set,
        mutable_ready,
        nick = "Stage",
        blurb = "Name of this place of the pipeline in reports (NULL = the element's name)"
    )]
    #[property(
        name = "interval",
        type = u32,
        member = interval,
        get,
        set = Self::set_interval,
        default = Settings::DEFAULT.interval,
        mutable_playing,
        nick = "Interval",
        blurb = "Time between two livetune-latency messages, in milliseconds (0 = only at the end of the stream)"
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
        blurb = "Post livetune-latency, livetune-sla and livetune-regression messages on the bus"
    )]
    #[property(
        name = "sla",
        type = u32,
        member = sla,
        get,
        set = Self::set_sla,
        maximum = Settings::LONGEST_SLA,
        default = Settings::DEFAULT.sla,
        mutable_playing,
        nick = "Service level",
        blurb = "Limit on the latency, in milliseconds (0 = none). A livetune-sla message says when the percentile \
                 sla-percentile goes over it, and when it is at 90 % of it or less again; a qualityswitch upstream hears of \
                 the latency four times a second"
    )]
    #[property(
        name = "sla-on",
        type = SlaOn,
        member = sla_on,
        get,
        set = Self::set_sla_on,
        mutable_playing,
        nick = "Service level on",
        blurb = "What the limit is on: the age of the frames, or their way from the tap before this one",
        builder(Settings::DEFAULT.sla_on)
    )]
    #[property(
        name = "sla-percentile",
        type = f64,
        member = sla_percentile,
        get,
        set = Self::set_sla_percentile,
        minimum = Settings::LEAST_PERCENTILE,
        maximum = Settings::MOST_PERCENTILE,
        default = Settings::DEFAULT.sla_percentile,
        mutable_playing,
        nick = "Service level percentile",
        blurb = "Which percentile of the window must keep the limit, in percent"
    )]
    #[property(
        name = "window",
        type = u32,
        member = window,
        get,
        set = Self::set_window,
        minimum = Settings::SHORTEST_WINDOW,
        default = Settings::DEFAULT.window,
        mutable_playing,
        nick = "Window",
        blurb = "Over how much time the limit is judged, in milliseconds: slides by quarters of itself. Two \
                 livetune-sla messages of one kind are at least half a window apart"
    )]
    #[property(
        name = "baseline",
        type = u32,
        member = baseline,
        get,
        set,
        maximum = Settings::LONGEST_BASELINE,
        default = Settings::DEFAULT.baseline,
        mutable_ready,
        nick = "Baseline",
        blurb = "How long the beginning of the stream is taken as the baseline that later latencies are compared with, in \
                 milliseconds, at least 10 s (0 = none). A livetune-regression message says when they have got worse, \
                 and when they are as good again"
    )]
    #[property(
        name = "baseline-location",
        type = Option<String>,
        member = baseline_location,
        get,
        set,
        mutable_ready,
        nick = "Baseline location",
        blurb = "File of the baseline: read where it exists, else written when the baseline is complete (NULL = none)"
    )]
    #[property(
        name = "network",
        type = bool,
        member = network,
        get,
        set = Self::set_network,
        default = Settings::DEFAULT.network,
        mutable_playing,
        nick = "Network",
        blurb = "Send the capture time along with RTP: attach it as NTP time (reference timestamp timestamp/x-ntp) to \
                 buffers that have none, and make the payloaders behind write it into every packet (header extension \
                 ntp-64). Taps read such times whether this is set or not"
    )]
    #[property(
        name = "sei",
        type = bool,
        member = sei,
        get,
        set = Self::set_sei,
        default = Settings::DEFAULT.sei,
        mutable_playing,
        nick = "SEI",
        blurb = "Send the capture time inside the video, for SRT, RTMP, transport streams and files: put it as user \
                 data (SEI user_data_unregistered, 33 bytes a frame or a few more) into H.264 or H.265 behind the \
                 encoder. Taps read such times whether this is set or not"
    )]
    #[property(
        name = "clock-offset",
        type = i64,
        member = clock_offset,
        get,
        set = Self::set_clock_offset,
        default = Settings::DEFAULT.clock_offset,
        mutable_playing,
        nick = "Clock offset",
        blurb = "Nanoseconds to add to this machine's wall clock before a capture time is sent or compared (0 = the \
                 clocks agree). The wall clock is the pipeline's where that follows NTP or PTP, else the system's"
    )]
    #[property(
        name = "scope",
        type = Scope,
        member = scope,
        get,
        set = Self::set_scope,
        mutable_playing,
        nick = "Scope",
        blurb = "What is measured: this place, or every element of the pipeline too, also ones that are added later. The \
                 stages of each path then lie in messages, stats and snapshots",
        builder(Settings::DEFAULT.scope)
    )]
    #[property(
        name = "report",
        type = ReportAt,
        member = report,
        get,
        set,
        mutable_ready,
        nick = "Report",
        blurb = "When to write a report of the taps on the way to this one: share, transit and age of each, and the \
                 bottleneck",
        builder(Settings::DEFAULT.report)
    )]
    #[property(
        name = "report-format",
        type = ReportFormat,
        member = report_format,
        get,
        set,
        mutable_ready,
        nick = "Report format",
        blurb = "How reports are written",
        builder(Settings::DEFAULT.report_format)
    )]
    #[property(
        name = "report-location",
        type = Option<String>,
        member = report_location,
        get,
        set,
        mutable_ready,
        nick = "Report location",
        blurb = "File for the reports, made anew at each start (NULL = standard error)"
    )]
    #[property(
        name = "log-location",
        type = Option<String>,
        member = log_location,
        get,
        set,
        mutable_ready,
        nick = "Log location",
        blurb = "File for an HdrHistogram log of transit and age of each tap on the way to this one, one histogram per \
                 interval, made anew at each start (NULL = none)"
    )]
    pub(super) settings: Mutex<Settings>,
    #[property(
        name = "stats",
        type = Stats,
        get = Self::stats,
        nick = "Statistics",
        blurb = "Figures since the start: times in nanoseconds, bitrate in bit/s"
    )]
    pub(super) state: Mutex<Option<State>>,
    place: Arc<Place>,
    /// With `scope=pipeline`.
    pub(super) watching: Mutex<Option<Arc<Watching>>>,
    /// The taps before this one may be others than they were.
    pub(super) relinked: AtomicBool,
    /// The base time is that of the clock: not so before PLAYING, where a running time would be nonsense.
    pub(super) plays: AtomicBool,
    pub(super) network: Network,
}

impl LatencyTracer {
    /// What this tap remembers, for the taps behind it.
    pub(super) fn place(&self) -> Arc<Place> {
        self.place.clone()
    }

    pub(super) fn with_state<R>(&self, action: impl FnOnce(&mut State) -> R) -> Option<R> {
        lock(&self.state).as_mut().map(action)
    }
}

#[glib::object_subclass]
impl ObjectSubclass for LatencyTracer {
    const NAME: &'static str = "GstLiveTuneLatencyTracer";
    type Type = super::LatencyTracer;
    type ParentType = gst::Element;
    type Interfaces = (gst::Preset,);

    fn with_class(class: &Self::Class) -> Self {
        // Scheduling is not proxied: the element pushes, so nobody downstream may hope to pull.
        let flags = gst::PadFlags::PROXY_CAPS | gst::PadFlags::PROXY_ALLOCATION;
        let [sink, src] = ["sink", "src"].map(|name| {
            class
                .pad_template(name)
                .expect("pad_templates() has both pads")
        });
        let error = || Err(gst::FlowError::Error);
        let sinkpad = gst::Pad::builder_from_template(&sink)
            .chain_function(move |_, parent, buffer| {
                Self::catch_panic_pad_function(parent, error, |this| this.chain(buffer))
            })
            .chain_list_function(move |_, parent, list| {
                Self::catch_panic_pad_function(parent, error, |this| this.chain_list(list))
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |this| this.sink_event(pad, event))
            })
            .flags(flags)
            .build();
        let srcpad = gst::Pad::builder_from_template(&src)
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |this| this.src_event(pad, event))
            })
            .flags(flags)
            .build();
        Self {
            sinkpad,
            srcpad,
            settings: Mutex::default(),
            state: Mutex::default(),
            place: Arc::default(),
            watching: Mutex::default(),
            relinked: AtomicBool::new(true),
            plays: AtomicBool::new(false),
            network: Network::default(),
        }
    }
}

#[glib::derived_properties]
impl ObjectImpl for LatencyTracer {
    fn signals() -> &'static [glib::subclass::Signal] {
        static SIGNALS: LazyLock<Vec<glib::subclass::Signal>> = LazyLock::new(signals::all);
        &SIGNALS
    }

    fn constructed(&self) {
        self.parent_constructed();
        for pad in [&self.sinkpad, &self.srcpad] {
            self.obj()
                .add_pad(pad)
                .expect("a new element has no pads yet");
        }
    }
}

impl GstObjectImpl for LatencyTracer {}

impl PresetImpl for LatencyTracer {}

impl ElementImpl for LatencyTracer {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Latency tracer",
                "Filter/Analyzer/Debug",
                "Measures how late buffers are at this place: percentiles (p50, p95, p99), frame rate and bit rate \
                 of each stage from capture on, across encoders, queues and RTP",
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

    fn set_clock(&self, clock: Option<&gst::Clock>) -> bool {
        self.network.follow(clock);
        self.parent_set_clock(clock)
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        match transition {
            gst::StateChange::ReadyToPaused => self.start().map_err(|error| {
                self.post_error_message(error);
                gst::StateChangeError
            })?,
            gst::StateChange::PausedToPlaying => self.plays.store(true, Ordering::Release),
            gst::StateChange::PlayingToPaused => self.plays.store(false, Ordering::Release),
            _ => (),
        }
        let result = self.parent_change_state(transition);
        match transition {
            gst::StateChange::PausedToReady => self.stop(),
            gst::StateChange::ReadyToPaused if result.is_err() => self.stop(),
            _ => (),
        }
        result
    }
}
