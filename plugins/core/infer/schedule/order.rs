//! Which of the waiting frames go first.

use super::batcher::{Batcher, Frame, Stream};
use super::closing::{Batch, Due};
use crate::time::MediaTime;

impl<J> Batcher<J> {
    /// The batch of a worker that is free, where one closes now; its frames are appended to `frames`.
    pub fn next(&mut self, now: MediaTime, frames: &mut Vec<Frame<J>>) -> Option<Batch> {
        let Due::Now(reason) = self.due(now) else {
            return None;
        };
        let room = self.line_up(now);
        let mut weight = 0;
        // One frame of each stream; where that leaves room, a further one of those that have more.
        loop {
            let before = weight;
            for at in 0..self.order.len() {
                let (_, _, index) = self.order[at];
                if let Some(frame) = self.take(index, room, weight, now) {
                    weight += frame.weight;
                    frames.push(frame);
                }
            }
            if weight == before || weight >= room {
                break;
            }
        }
        self.weight -= weight;
        let padded = self.padded(weight);
        Some(Batch {
            reason,
            weight,
            padded,
        })
    }

    /// The first frame of the stream at `index`, where it finds room beside `weight` pictures.
    fn take(
        &mut self,
        index: usize,
        room: usize,
        weight: usize,
        now: MediaTime,
    ) -> Option<Frame<J>> {
        let stream = self.streams[index].as_mut()?;
        let head = stream.waiting.front()?;
        if weight > 0 && weight + head.weight > room {
            return None;
        }
        let frame = stream.waiting.pop_front()?;
        self.served += 1;
        stream.served = self.served;
        let next = stream.waiting.front();
        stream.since = next.map_or(now, |next| next.submitted);
        Some(frame)
    }

    /// Puts the streams with a frame in order; answers how many pictures go into the next batch at most.
    fn line_up(&mut self, now: MediaTime) -> usize {
        self.order.clear();
        let streams = self.streams.iter().enumerate();
        self.order.extend(streams.filter_map(|(index, stream)| {
            let stream = stream.as_ref()?;
            Some((stream.deadline()?, stream.served, index))
        }));
        self.order.sort_unstable();
        if now >= self.strained
            && let Some(room) = self.keeps_deadlines(now)
        {
            return room;
        }
        let turn =
            |(deadline, served, index): &(MediaTime, u64, usize)| (*served, *deadline, *index);
        self.order.sort_unstable_by_key(turn);
        self.config.max_batch
    }

    /// Whether the streams' first frames, in the order of their deadlines, can all be served in time; if so, how many
    /// pictures the first batch may have for that.
    fn keeps_deadlines(&self, now: MediaTime) -> Option<usize> {
        let workers = u32::try_from(self.config.workers).unwrap_or(u32::MAX);
        let mut first = None;
        let mut start = now;
        let mut at = 0;
        while let Some((deadline, _, index)) = self.order.get(at) {
            let head = self.head_weight(*index);
            let room = self.room_until(*deadline, start, head)?;
            first = first.or(Some(room));
            let mut weight = 0;
            while let Some((_, _, index)) = self.order.get(at) {
                let more = self.head_weight(*index);
                if weight > 0 && weight + more > room {
                    break;
                }
                weight += more;
                at += 1;
            }
            start = start.after(self.costs.p95(self.padded(weight)) / workers);
        }
        first
    }

    /// The most pictures, and not less than `least`, that a batch can have which starts at `start` and must end at
    /// `deadline`.
    fn room_until(&self, deadline: MediaTime, start: MediaTime, least: usize) -> Option<usize> {
        let ends_in_time = |size| start.after(self.costs.p95(self.padded(size))) <= deadline;
        let most = self.config.max_batch.max(least);
        (least..=most).rev().find(|size| ends_in_time(*size))
    }

    fn head_weight(&self, index: usize) -> usize {
        let stream = self.streams[index].as_ref();
        let head = stream.and_then(|stream| stream.waiting.front());
        head.map_or(1, |frame| frame.weight)
    }
}

impl<J> Stream<J> {
    /// The deadline of its first frame.
    pub(super) fn deadline(&self) -> Option<MediaTime> {
        self.waiting.front().map(|frame| frame.deadline)
    }
}
