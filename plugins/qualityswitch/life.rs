//! Construction, start and stop.

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::group::Member;
use super::imp::{CAT, QualitySwitch};
use super::scaler::{Engine, Scaler};
use super::state::State;
use crate::runtime::lock::lock;
use crate::runtime::telemetry;

impl QualitySwitch {
    pub(super) fn construct(&self) {
        let templates = Self::pad_templates();
        let made = templates
            .iter()
            .map(|template| match template.name_template() {
                "sink" => Some(Self::sink_pad(template)),
                "src" => Some(Self::src_pad(template)),
                _ => None,
            });
        let pads: Vec<gst::GhostPad> = made.flatten().collect();
        for pad in &pads {
            if let Err(error) = self.obj().add_pad(pad) {
                gst::error!(CAT, imp = self, "{error}");
            }
        }
        if let [sink, src] = &pads[..] {
            let _ = self.pads.set((sink.clone(), src.clone()));
        }
        // What is missing is said on the way to READY.
        if let Err(error) = self.assemble() {
            gst::info!(CAT, imp = self, "{error}");
        }
    }

    /// Puts the scaler that is wanted between the pads.
    fn assemble(&self) -> Result<(), gst::ErrorMessage> {
        let engine = lock(&self.settings).scaler.engine_at_first();
        self.use_engine(engine)
    }

    /// Has `engine` scale from the next frame on. To be called where no frame is inside.
    pub(super) fn use_engine(&self, engine: Option<Engine>) -> Result<(), gst::ErrorMessage> {
        let bin = self.obj();
        let placed = lock(&self.scaler).clone();
        let scaler = match placed {
            Some(scaler) if scaler.is(engine) => return Ok(()),
            Some(mut scaler) => {
                self.aim(None, "sink")?;
                scaler.replace(bin.upcast_ref(), engine)?;
                scaler
            }
            None => Scaler::new(bin.upcast_ref(), engine)?,
        };
        self.aim(scaler.input(), "sink")?;
        if !self.has_renditions() {
            self.aim(scaler.output(), "src")?;
        }
        *lock(&self.scaler) = Some(scaler);
        Ok(())
    }

    fn aim(&self, target: Option<gst::Pad>, name: &str) -> Result<(), gst::ErrorMessage> {
        let Some((sink, src)) = self.ends() else {
            return Ok(());
        };
        let pad = if name == "sink" { sink } else { src };
        if pad.target() == target {
            return Ok(());
        }
        pad.set_target(target.as_ref()).map_err(|error| {
            gst::error_msg!(
                gst::CoreError::Pad,
                ("The pad {name} leads nowhere: {error}")
            )
        })
    }

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let governor = settings.to_governor()?;
        let registration = telemetry::register(self, "qualityswitch", None);
        let member = Member::join(settings.group(), settings.priority);
        *lock(&self.state) = Some(State::new(governor, member, registration));
        // The thread that looks around finds the state.
        match self.watch() {
            Ok(watch) => *lock(&self.watch) = Some(watch),
            Err(error) => gst::element_imp_warning!(
                self,
                gst::ResourceError::Failed,
                ("No thread to look around from ({error}): only frames and events move the level")
            ),
        }
        Ok(())
    }

    pub(super) fn stop(&self) {
        let watch = lock(&self.watch).take();
        drop(watch);
        self.let_go_of_encoder();
        let state = lock(&self.state).take();
        drop(state);
    }

    pub(super) fn prepare(&self, transition: gst::StateChange) -> Result<(), gst::ErrorMessage> {
        match transition {
            gst::StateChange::NullToReady => {
                self.assemble()?;
                let settings = lock(&self.settings).clone();
                settings.to_governor().map(|_| ())
            }
            gst::StateChange::ReadyToPaused => self.start(),
            // A frame that sits out a pause behind us is no load.
            gst::StateChange::PlayingToPaused | gst::StateChange::PausedToPlaying => {
                self.push.forget();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
