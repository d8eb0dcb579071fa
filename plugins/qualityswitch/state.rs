//! What the stream did, from READY to PAUSED and back.

use livetune_core::quality::{Decimator, Fitted, Governor, InputVideo, Reason};
use livetune_core::units::Bitrate;

use crate::runtime::clock;
use crate::runtime::figures::{Figure, Value};
use crate::runtime::telemetry::Registration;

pub(super) struct State {
    pub(super) governor: Governor,
    decimator: Decimator,
    segment: gst::FormattedSegment<gst::ClockTime>,
    pub(super) caps: Option<gst::Caps>,
    pub(super) input: Option<InputVideo>,
    /// The rung that the scaler is set to.
    applied: Option<usize>,
    /// Why the rung changed last.
    pub(super) reason: Option<Reason>,
    target: Option<Bitrate>,
    switches: u64,
    frames_in: u64,
    frames_out: u64,
    frames_untimed: u64,
    refusals: u64,
    /// It was said that video passes unscaled.
    told_unscaled: bool,
    _registration: Registration,
}

/// A rung to set the scaler to.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) rung: usize,
    pub(super) before: Option<usize>,
    pub(super) fitted: Fitted,
    pub(super) input: gst::Caps,
    pub(super) scalable: bool,
    /// Whether frames pass uncopied after it and did not before, or the other way round: upstream has to ask anew whose
    /// memory it should fill.
    pub(super) reallocates: bool,
}

/// A switch that was carried out.
#[derive(Debug)]
pub(super) struct Carried {
    /// The message about it, but for its name; `None` at the start, where there was no rung before.
    pub(super) news: Option<Vec<Figure>>,
    /// Whether somebody other than the owner of the property moved the level.
    pub(super) notify: bool,
}

impl State {
    pub(super) fn new(governor: Governor, registration: Registration) -> Self {
        Self {
            governor,
            decimator: Decimator::new(),
            segment: gst::FormattedSegment::new(),
            caps: None,
            input: None,
            applied: None,
            reason: None,
            target: None,
            switches: 0,
            frames_in: 0,
            frames_out: 0,
            frames_untimed: 0,
            refusals: 0,
            told_unscaled: false,
            _registration: registration,
        }
    }

    /// The network carries `target`.
    pub(super) fn on_target(&mut self, target: Bitrate) {
        self.target = Some(target);
        let switch = self.governor.on_target(target, clock::monotonic());
        self.remember(switch.map(|switch| switch.reason));
    }

    /// Video of those `caps` comes from now on.
    pub(super) fn on_caps(&mut self, caps: gst::Caps, input: Option<InputVideo>) {
        self.caps = Some(caps);
        self.input = input;
        let Some(input) = input else {
            self.decimator.set_rate(None);
            return;
        };
        let switch = self.governor.on_input(&input, clock::monotonic());
        self.remember(switch.map(|switch| switch.reason));
    }

    /// Whether to say now that the video that comes in passes unscaled: once.
    pub(super) fn tells_unscaled(&mut self) -> bool {
        let unscaled = self.input.is_none_or(|input| !input.scalable);
        let told = self.told_unscaled;
        self.told_unscaled |= unscaled;
        unscaled && !told
    }

    /// Notes why the rung changed, where it did.
    pub(super) fn remember(&mut self, reason: Option<Reason>) {
        self.reason = reason.or(self.reason);
    }

    /// Frames no longer follow on those before.
    pub(super) fn on_segment(&mut self, segment: Option<gst::FormattedSegment<gst::ClockTime>>) {
        self.segment = segment.unwrap_or_default();
        self.decimator.reset();
    }

    /// What the scaler has to be set to before the next frame, if it is not.
    pub(super) fn order_for_frame(&mut self) -> Option<Order> {
        self.input?;
        let switch = self.governor.on_time(clock::monotonic());
        self.remember(switch.map(|switch| switch.reason));
        let moved = self.governor.rung() != self.applied;
        moved.then(|| self.order()).flatten()
    }

    /// Whether frames pass uncopied on `rung`.
    fn passes(&self, rung: usize) -> bool {
        let fitted = self.governor.fitted(rung);
        fitted.is_some_and(|fitted| fitted.full_size)
    }

    /// What the scaler has to be set to for the rung that holds.
    pub(super) fn order(&self) -> Option<Order> {
        let rung = self.governor.rung()?;
        Some(Order {
            rung,
            before: self.applied,
            fitted: self.governor.fitted(rung)?,
            input: self.caps.clone()?,
            scalable: self.input?.scalable,
            reallocates: self
                .applied
                .is_some_and(|before| self.passes(before) != self.passes(rung)),
        })
    }

    /// Downstream does not take what `order` asks for. Answers what to try instead.
    pub(super) fn on_refused(&mut self, order: &Order) -> Option<Order> {
        self.refusals += 1;
        let switch = self.governor.on_refused(order.before, clock::monotonic())?;
        self.remember(Some(switch.reason));
        self.order()
    }

    /// The scaler is set as `order` says.
    pub(super) fn on_carried_out(&mut self, order: &Order) -> Carried {
        let fitted = order.fitted;
        self.decimator
            .set_rate(fitted.decimates.then_some(fitted.rate));
        let moved = self.applied.replace(order.rung) != Some(order.rung);
        let news = moved.then_some(order.before).flatten().map(|before| {
            self.switches += 1;
            let previous = Value::Text(self.name_of(Some(before)));
            let mut news = self.level_figures();
            news.insert(
                1,
                Figure::new("previous", previous, "Level before this one"),
            );
            news
        });
        Carried {
            news,
            notify: moved && self.reason != Some(Reason::Manual),
        }
    }

    /// Whether the frame shown at `pts` stays.
    pub(super) fn keeps(&mut self, pts: Option<gst::ClockTime>) -> bool {
        self.frames_in += 1;
        let shown = pts.and_then(|pts| self.segment.to_running_time(pts));
        let keep = match shown {
            Some(at) => self.decimator.on_frame(clock::media_time(at)),
            None => {
                self.frames_untimed += 1;
                true
            }
        };
        self.frames_out += u64::from(keep);
        keep
    }

    /// The name of the rung that holds, or nothing before there is one.
    pub(super) fn level(&self) -> Option<String> {
        self.governor.rung().map(|rung| self.name_of(Some(rung)))
    }

    fn name_of(&self, rung: Option<usize>) -> String {
        let rung = rung.and_then(|rung| self.governor.ladder().rungs().get(rung));
        rung.map(|rung| rung.name.clone()).unwrap_or_default()
    }

    /// Everything there is to know.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let dropped = self.frames_in - self.frames_out;
        let counts = [
            ("switches", self.switches, "Changes of level"),
            ("frames-in", self.frames_in, "Frames that came in"),
            ("frames-out", self.frames_out, "Frames that went on"),
            (
                "frames-dropped",
                dropped,
                "Frames dropped for the frame rate",
            ),
            (
                "frames-untimed",
                self.frames_untimed,
                "Frames without a time in the segment, never dropped",
            ),
            (
                "refusals",
                self.refusals,
                "Times that downstream did not take the size of a level",
            ),
        ];
        let counts = counts.map(|(name, count, help)| Figure::new(name, Value::Count(count), help));
        self.level_figures().into_iter().chain(counts).collect()
    }

    /// The level and what it comes to, for `stats` and messages alike.
    fn level_figures(&self) -> Vec<Figure> {
        let level = Value::Text(self.name_of(self.governor.rung()));
        let mut figures = vec![Figure::new("level", level, "Level that holds")];
        if let Some(reason) = self.reason {
            let reason = Value::Text(reason.as_str().to_owned());
            figures.push(Figure::new("reason", reason, "Why the level changed last"));
        }
        let applied = self.applied.and_then(|rung| self.governor.fitted(rung));
        if let Some(rung) = applied {
            let (width, height) = (rung.width.into(), rung.height.into());
            figures.extend([
                Figure::new("width", Value::Level(width), "Width sent in pixels"),
                Figure::new("height", Value::Level(height), "Height sent in pixels"),
                Figure::new(
                    "framerate",
                    Value::Number(rung.rate.as_f64()),
                    "Most frames sent per second",
                ),
            ]);
        }
        if let Some(target) = self.target {
            let help = "Bit rate that the network carries, as last heard";
            figures.push(Figure::new("target-bitrate", Value::Bitrate(target), help));
        }
        figures
    }
}
