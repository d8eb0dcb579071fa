//! What the element knows of itself, for `stats`, messages and telemetry alike.

use std::time::Duration;

use livetune_core::quality::{Arbiter, Reason};

use super::imp::QualitySwitch;
use super::scaler::Scaler;
use super::state::{News, State};
use crate::runtime::clock;
use crate::runtime::figures::{Figure, Value};
use crate::runtime::lock::lock;

impl State {
    /// Everything there is to know.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let mut figures = self.level_figures();
        figures.extend(self.time_figures());
        let switches = Value::Counts(self.account.switches());
        let help = "Changes of level by reason";
        figures.push(Figure::new("switches-by-reason", switches, help));
        let help = "Wait before the next step up";
        let wait = Value::Duration(self.governor.wait());
        figures.push(Figure::new("up-wait", wait, help));
        let members = |seat: Option<(&mut Arbiter, _)>| Some(seat?.0.members());
        if let Some(members) = self.member.with(members) {
            let members = Value::Level(members as u64);
            let help = "Elements of this process that share the group";
            figures.push(Figure::new("group-members", members, help));
        }
        if let Some(steering) = &self.steering {
            let (name, rate) = (steering.name().to_owned(), steering.told());
            let help = "Encoder whose bit rate goes along with the level";
            figures.push(Figure::new("encoder", Value::Text(name), help));
            let help = "Bit rate that the encoder was told";
            figures.push(Figure::new("encoder-bitrate", Value::Bitrate(rate), help));
        }
        figures.extend(self.count_figures());
        figures
    }

    /// What there is to tell of a switch from the rung `before`, which held so long.
    pub(super) fn news(&self, before: usize, held: Duration, reason: Reason) -> News {
        let previous = self.name_of(Some(before));
        let mut figures = self.level_figures();
        let text = Value::Text(previous.clone());
        figures.insert(1, Figure::new("previous", text, "Level before this one"));
        let held = Value::Duration(held);
        figures.push(Figure::new("held", held, "How long the level before held"));
        figures.extend(self.time_figures());
        News {
            previous,
            level: self.name_of(self.applied),
            reason: reason.as_str(),
            figures,
        }
    }

    /// The level and what it comes to.
    fn level_figures(&self) -> Vec<Figure> {
        let level = Value::Text(self.name_of(self.governor.rung()));
        let mut figures = vec![Figure::new("level", level, "Level that holds")];
        if let Some(reason) = self.reason {
            let word = Value::Text(reason.as_str().to_owned());
            figures.push(Figure::new("reason", word, "Why the level changed last"));
            let sensor = reason.sensor().map(|sensor| sensor.as_str().to_owned());
            let help = "Sensor that the level changed by last";
            figures.extend(sensor.map(|word| Figure::new("sensor", Value::Text(word), help)));
        }
        let load = self.governor.load(clock::monotonic());
        let state = Value::Text(load.state.as_str().to_owned());
        let help = "Load as its worst sensor sees it; 1 is about what can be borne";
        figures.push(Figure::new("load", Value::Number(load.value), help));
        figures.push(Figure::new("load-state", state, "How bad the load is"));
        let sensor = load.sensor.map(|sensor| sensor.as_str().to_owned());
        let help = "Sensor that the load is read from";
        figures.extend(sensor.map(|word| Figure::new("load-sensor", Value::Text(word), help)));
        let applied = self.applied.and_then(|rung| self.governor.fitted(rung));
        if let Some(rung) = applied {
            let (width, height) = (rung.width.into(), rung.height.into());
            let rate = Value::Number(rung.rate.as_f64());
            figures.extend([
                Figure::new("width", Value::Level(width), "Width sent in pixels"),
                Figure::new("height", Value::Level(height), "Height sent in pixels"),
                Figure::new("framerate", rate, "Most frames sent per second"),
            ]);
        }
        if let Some(target) = self.target {
            let help = "Bit rate that the network carries, as last heard";
            figures.push(Figure::new("target-bitrate", Value::Bitrate(target), help));
        }
        figures
    }

    fn time_figures(&self) -> [Figure; 2] {
        let now = clock::monotonic();
        let levels = Value::Durations(self.account.times(now));
        let reasons = Value::Durations(self.account.limits(now));
        let help = "How long each reason kept the quality down";
        [
            Figure::new("time-at-level", levels, "How long each level held"),
            Figure::new("time-by-reason", reasons, help),
        ]
    }

    fn count_figures(&self) -> impl Iterator<Item = Figure> + use<> {
        let counts = self.counts;
        let dropped = counts.frames_in - counts.frames_out;
        let counts = [
            ("switches", counts.switches, "Changes of level"),
            ("frames-in", counts.frames_in, "Frames that came in"),
            ("frames-out", counts.frames_out, "Frames that went on"),
            (
                "frames-dropped",
                dropped,
                "Frames dropped for the frame rate",
            ),
            (
                "frames-untimed",
                counts.frames_untimed,
                "Frames without a time in the segment, never dropped",
            ),
            (
                "refusals",
                counts.refusals,
                "Times that downstream did not take the size of a level",
            ),
        ];
        let figures = counts.map(|(name, count, help)| {
            let count = Value::Count(count);
            Figure::new(name, count, help)
        });
        figures.into_iter()
    }
}

impl QualitySwitch {
    /// What frames go through.
    pub(super) fn way_figures(&self) -> Vec<Figure> {
        if let Some(number) = self.current_rendition() {
            let help = "Number of the pad whose rendition is sent";
            return vec![Figure::new("rendition", Value::Level(number.into()), help)];
        }
        let scaler = lock(&self.scaler).as_ref().map(Scaler::name);
        let scaler = Value::Text(scaler.unwrap_or("none").to_owned());
        vec![Figure::new("scaler", scaler, "Element that scales")]
    }
}
