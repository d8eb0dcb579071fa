//! What is heard of the load, from wherever.

use std::time::Duration;

use livetune_core::time::MediaTime;
use livetune_core::units::{Bitrate, Ratio};

use super::sensors::Machine;
use super::state::State;
use crate::runtime::clock;
use crate::runtime::wire::Load;

/// Before the first look there is nothing to see.
const BLIND: Duration = Duration::from_secs(5);

/// What a look around found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) live: bool,
    /// How full the fullest queue is.
    pub(super) fill: Option<Ratio>,
    pub(super) machine: Option<Machine>,
    pub(super) uses_gpu: bool,
}

impl State {
    /// The network carries `target`.
    pub(super) fn on_target(&mut self, target: Bitrate) {
        self.target = Some(target);
        self.ask_soon();
        let now = clock::monotonic();
        let governor = &mut self.governor;
        let switch = self.member.with(|seat| match seat {
            Some(seat) => governor.on_target_in(seat, target, now),
            None => governor.on_target(target, now),
        });
        self.remember(switch);
    }

    /// Somebody behind is as late as `load` says; `own` is how late it may be, where the user said so.
    pub(super) fn on_load(&mut self, load: &Load, own: Option<Duration>) {
        let target = own.unwrap_or(load.target);
        self.ask_soon();
        self.governor
            .on_latency(load.latency, target, clock::monotonic());
    }

    /// A sink tells how late frames are.
    pub(super) fn on_qos(&mut self, proportion: f64, jitter: i64) {
        if self.live {
            self.ask_soon();
            self.governor.on_qos(proportion, jitter, clock::monotonic());
        }
    }

    /// A frame was worked on by the thread `stage`.
    pub(super) fn on_pushed(&mut self, stage: usize, began: MediaTime, done: MediaTime) {
        if !self.live {
            return;
        }
        match stage {
            0 => self.governor.on_frame(began, done),
            _ => self.governor.on_stage_frame(stage, began, done),
        }
    }

    /// Somebody looked around. Answers whether to say now, once, that there is nothing to see.
    pub(super) fn on_look(&mut self, seen: &Seen, now: MediaTime) -> bool {
        self.live = seen.live;
        if seen.live {
            self.on_live_look(seen, now);
        }
        let blind = self.governor.auto()
            && self.input.is_some()
            && self.counts.frames_in > 0
            && now.since(self.began) >= BLIND
            && !self.governor.is_sensing(now);
        let told = self.told_blind;
        self.told_blind |= blind;
        blind && !told
    }

    /// Of frames that come at the pace of a clock: others wait for what is behind, however busy that is.
    fn on_live_look(&mut self, seen: &Seen, now: MediaTime) {
        if let Some(fill) = seen.fill {
            self.governor.on_queue(fill, now);
        }
        let machine = seen.machine.unwrap_or_default();
        if let Some(part) = machine.throttled {
            self.governor.on_throttled(part, now);
        }
        if let Some(part) = machine.pressure {
            self.governor.on_pressure(part, now);
        }
        if let Some(part) = machine.processors {
            self.governor.on_processors(part, now);
        }
        if let Some(part) = machine.gpu.filter(|_| seen.uses_gpu) {
            self.governor.on_gpu(part, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use gst::prelude::*;
    use gst::subclass::prelude::*;
    use livetune_core::quality::Sensor;

    use super::*;
    use crate::qualityswitch::QualitySwitch;

    /// What the governor reads of each sensor of the machine, and whether it takes that for full.
    fn readings(seen: &Seen) -> ([Option<f64>; 3], Option<bool>) {
        gst::init().expect("GStreamer starts");
        let element = gst::glib::Object::new::<QualitySwitch>();
        element
            .set_state(gst::State::Paused)
            .expect("an element that waits for frames");
        let now = clock::monotonic();
        let readings = element.imp().with_state(|state| {
            state.on_look(seen, now);
            let read = [Sensor::Throttling, Sensor::Pressure, Sensor::Gpu]
                .map(|sensor| state.governor.reading(sensor, now));
            (read, state.governor.is_crowded(now))
        });
        element.set_state(gst::State::Null).expect("it stops");
        readings.expect("it has a state")
    }

    #[test]
    fn what_the_machine_says_counts_where_frames_come_from_something_live() {
        let machine = Machine {
            throttled: Some(Ratio::new(0.5)),
            pressure: Some(Ratio::new(0.25)),
            processors: Some(Ratio::new(0.5)),
            gpu: Some(Ratio::new(0.25)),
        };
        let seen = Seen {
            live: true,
            fill: None,
            machine: Some(machine),
            uses_gpu: true,
        };
        let (read, full) = readings(&seen);
        assert_eq!(read, [Some(0.5), Some(0.25), Some(0.25)]);
        assert_eq!(full, Some(true), "it is throttled");
        let uses_gpu = false;
        let without = Seen { uses_gpu, ..seen };
        assert_eq!(readings(&without).0, [Some(0.5), Some(0.25), None]);
        let live = false;
        assert_eq!(readings(&Seen { live, ..seen }), ([None; 3], None));
        for (part, is_full) in [(0.5, false), (0.95, true)] {
            let machine = Machine {
                processors: Some(Ratio::new(part)),
                ..Machine::default()
            };
            let machine = Some(machine);
            let (_, full) = readings(&Seen { machine, ..seen });
            assert_eq!(full, Some(is_full));
        }
    }
}
