//! Whatever happens, in whatever order: every frame has one end.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Join(usize),
    Leave(usize),
    Flush(usize),
    End(usize),
    Submit(usize, usize, u64),
    GiveUp(usize),
    Work,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..4_usize).prop_map(Step::Join),
        1 => any::<usize>().prop_map(Step::Leave),
        1 => any::<usize>().prop_map(Step::Flush),
        1 => any::<usize>().prop_map(Step::End),
        12 => (any::<usize>(), 0..5_usize, 0..300_u64).prop_map(|(s, w, d)| Step::Submit(s, w, d)),
        1 => any::<usize>().prop_map(Step::GiveUp),
        6 => Just(Step::Work),
        6 => (0..60_u64).prop_map(Step::Wait),
    ]
}

/// The steps so far, and how often each frame came to an end.
struct Played {
    batcher: Batcher<u64>,
    streams: Vec<StreamId>,
    ends: HashMap<u64, u32>,
    now: MediaTime,
}

impl Played {
    fn ended(&mut self, frames: Vec<Frame<u64>>) {
        for frame in frames {
            *self.ends.entry(frame.ticket).or_default() += 1;
        }
    }

    fn work(&mut self) -> Result<bool, TestCaseError> {
        let mut frames = Vec::new();
        let Some(batch) = self.batcher.next(self.now, &mut frames) else {
            return Ok(false);
        };
        let weight: usize = frames.iter().map(|frame| frame.weight).sum();
        prop_assert_eq!(weight, batch.weight);
        prop_assert!(weight <= 6 || frames.len() == 1);
        prop_assert!(batch.padded >= weight);
        self.batcher.on_batch(weight, ms(weight as u64));
        self.ended(frames);
        Ok(true)
    }

    fn play(&mut self, step: Step) -> Result<(), TestCaseError> {
        let pick = |any: usize, all: &[StreamId]| all[any % all.len()];
        let mut frames = Vec::new();
        match step {
            Step::Join(backlog) => {
                let id = self.batcher.join(backlog);
                self.streams.push(id);
            }
            _ if self.streams.is_empty() => {}
            Step::Leave(any) => self.batcher.leave(pick(any, &self.streams), &mut frames),
            Step::Flush(any) => self.batcher.flush(pick(any, &self.streams), &mut frames),
            Step::End(any) => self.batcher.end(pick(any, &self.streams)),
            Step::Submit(any, weight, until) => {
                let stream = pick(any, &self.streams);
                let deadline = self.now.after(ms(until));
                let sent = self.batcher.submit(stream, (0, weight), deadline, self.now);
                if let Ok(sent) = sent {
                    prop_assert_eq!(self.ends.insert(sent.ticket, 0), None);
                    frames.extend(sent.superseded);
                }
            }
            Step::GiveUp(any) => {
                let tickets: Vec<u64> = self.ends.keys().copied().collect();
                if let Some(ticket) = tickets.get(any % tickets.len().max(1)) {
                    let streams = self.streams.clone();
                    let batcher = &mut self.batcher;
                    let found = streams.iter().find_map(|id| batcher.give_up(*id, *ticket));
                    frames.extend(found);
                }
            }
            Step::Work => drop(self.work()?),
            Step::Wait(millis) => self.now = self.now.after(ms(millis)),
        }
        self.ended(frames);
        Ok(())
    }
}

proptest! {
    #[test]
    fn every_frame_is_served_superseded_or_given_up_and_only_once(
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let config = Config { preferred: vec![1, 4, 6], workers: 2, ..config(6, 20) };
        let mut played = Played {
            batcher: Batcher::new(config).expect("fits"),
            streams: Vec::new(),
            ends: HashMap::new(),
            now: at(0),
        };
        for step in steps {
            played.play(step)?;
            let is_due = played.batcher.next_wakeup(played.now).is_some();
            prop_assert_eq!(is_due, played.batcher.waiting() > 0);
        }
        // What still waits is served, at the latest when the batcher says so.
        while let Some(wakeup) = played.batcher.next_wakeup(played.now) {
            prop_assert!(wakeup <= played.now.after(ms(20)));
            played.now = wakeup.max(played.now);
            prop_assert!(played.work()?);
        }
        prop_assert_eq!(played.batcher.waiting(), 0);
        prop_assert!(played.ends.values().all(|ends| *ends == 1), "{:?}", played.ends);
    }
}
