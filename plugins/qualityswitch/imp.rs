//! The GObject of qualityswitch: properties, its scaler, start and stop.

use std::sync::{LazyLock, Mutex};
use std::thread::ThreadId;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::quality::DEFAULT_LADDER;

use super::scaler::Scaler;
use super::settings::{Settings, unknown_level};
use super::state::State;
use crate::runtime::clock;
use crate::runtime::figures::{self, Figure};
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::pads;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::{self, Observed};

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "qualityswitch",
        gst::DebugColorFlags::empty(),
        Some("Size and frame rate by level"),
    )
});

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
        blurb = "Choose the level by the bit rate that livetune-target-bitrate events from downstream name; false = the level that is set holds"
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
        blurb = "What was done so far: level, reason of the last change, width, height, framerate, target-bitrate (bit/s), switches, frames-in, frames-out, frames-dropped, frames-untimed, refusals; empty in NULL and READY"
    )]
    pub(super) state: Mutex<Option<State>>,
    pub(super) scaler: Mutex<Option<Scaler>>,
    /// The thread that is telling the scaler another size.
    pub(super) quiet: Mutex<Option<ThreadId>>,
}

impl QualitySwitch {
    fn level(&self) -> Option<String> {
        guard("qualityswitch's level", None, || {
            let level = self.with_state(|state| state.level()).flatten();
            level.or_else(|| lock(&self.settings).level.clone())
        })
    }

    fn set_level(&self, level: Option<String>) {
        guard("qualityswitch's level", (), || {
            match self.with_state(|state| choose(state, level.as_deref())) {
                None | Some(Ok(())) => lock(&self.settings).level = level,
                Some(Err(problem)) => {
                    gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{problem}"));
                }
            }
        });
    }

    fn auto(&self) -> bool {
        lock(&self.settings).auto
    }

    fn set_auto(&self, auto: bool) {
        guard("qualityswitch's auto", (), || {
            lock(&self.settings).auto = auto;
            self.with_state(|state| {
                let switch = state.governor.on_auto(auto, clock::monotonic());
                state.remember(switch.map(|switch| switch.reason));
            });
        });
    }

    fn stats(&self) -> Stats {
        guard("qualityswitch's stats", Stats(empty_stats()), || {
            Stats(figures::structure(STATS, &self.figures()))
        })
    }

    /// Puts the scaler between the pads, where it is not yet.
    fn assemble(&self) -> Result<(), gst::ErrorMessage> {
        if lock(&self.scaler).is_some() {
            return Ok(());
        }
        let scaler = Scaler::new(self.obj().upcast_ref())?;
        for (name, target) in [("sink", scaler.input()), ("src", scaler.output())] {
            let pad = self.obj().static_pad(name).and_downcast::<gst::GhostPad>();
            if let Some(pad) = pad {
                pad.set_target(target.as_ref()).map_err(|error| {
                    gst::error_msg!(
                        gst::CoreError::Pad,
                        ("The pad {name} leads nowhere: {error}")
                    )
                })?;
            }
        }
        *lock(&self.scaler) = Some(scaler);
        Ok(())
    }

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let governor = settings.to_governor()?;
        let registration = telemetry::register(self, "qualityswitch", None);
        *lock(&self.state) = Some(State::new(governor, registration));
        Ok(())
    }

    fn stop(&self) {
        let state = lock(&self.state).take();
        drop(state);
    }

    fn prepare(&self, transition: gst::StateChange) -> Result<(), gst::ErrorMessage> {
        match transition {
            gst::StateChange::NullToReady => {
                self.assemble()?;
                let settings = lock(&self.settings).clone();
                settings.to_governor().map(|_| ())
            }
            gst::StateChange::ReadyToPaused => self.start(),
            _ => Ok(()),
        }
    }
}

const STATS: &str = "application/x-livetune-qualityswitch-stats";

fn empty_stats() -> gst::Structure {
    gst::Structure::new_empty(STATS)
}

/// Sets the level by hand, or says why that cannot be.
fn choose(state: &mut State, level: Option<&str>) -> Result<(), String> {
    if state.governor.auto() {
        return Err("The level is chosen by the network: set auto=false first".to_owned());
    }
    let place = match level {
        Some(name) => {
            let ladder = state.governor.ladder();
            let place = ladder.position(name);
            place.ok_or_else(|| unknown_level(name, ladder))?
        }
        None => 0,
    };
    let switch = state.governor.on_level(place, clock::monotonic());
    state.remember(switch.map(|switch| switch.reason));
    Ok(())
}

impl Observed for QualitySwitch {
    fn figures(&self) -> Vec<Figure> {
        self.with_state(|state| state.figures()).unwrap_or_default()
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
    fn constructed(&self) {
        self.parent_constructed();
        guard("qualityswitch's construction", (), || {
            for template in Self::pad_templates() {
                let pad = match template.direction() {
                    gst::PadDirection::Sink => Self::sink_pad(template),
                    _ => Self::src_pad(template),
                };
                if let Err(error) = self.obj().add_pad(&pad) {
                    gst::error!(CAT, imp = self, "{error}");
                }
            }
            // What is missing is said on the way to READY.
            if let Err(error) = self.assemble() {
                gst::info!(CAT, imp = self, "{error}");
            }
        });
    }
}

impl GstObjectImpl for QualitySwitch {}

impl ElementImpl for QualitySwitch {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Quality switch",
                "Filter/Converter/Video/Scaler",
                "Scales raw video and lowers its frame rate to the level of a quality ladder that the network carries, \
                 or that is set by hand",
                "livetune developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let video = gst::Caps::builder("video/x-raw").any_features().build();
            pads::always(&video)
        });
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if let Err(problem) = self.prepare(transition) {
            self.post_error_message(problem);
            return Err(gst::StateChangeError);
        }
        let outcome = self.parent_change_state(transition);
        if matches!(
            transition,
            gst::StateChange::PausedToReady | gst::StateChange::ReadyToNull
        ) {
            self.stop();
        }
        outcome
    }
}

impl BinImpl for QualitySwitch {}

impl PresetImpl for QualitySwitch {}
