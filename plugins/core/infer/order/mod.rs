//! What becomes of each frame of a stream while a network looks at some of them.
//!
//! Frames and what comes between them wait here in one row and leave it in the order they came. A frame that was
//! given to the network waits for its own result; one that was left out, that a newer one took the place of, or that
//! the network was too slow for, goes on with the boxes of the last frame that has some, or is dropped, by [`Policy`].
//! A result that comes after its frame has gone is not lost: its boxes are carried on by later frames.

mod budget;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

pub use budget::{Budget, LONGEST_BUDGET};

use crate::time::MediaTime;

/// Questions whose frame has gone that are still listened to: what a stream has in the network and in front of it.
const MOST_LATE: usize = 4;
/// Frames that come in a burst may be more than the row holds by one of so many parts, until those before them are gone.
const EXCESS: usize = 4;

/// What to do with a frame whose own result is not there when it should leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It waits, and what is before it waits with it.
    Block,
    /// It goes on without.
    Skip,
    /// It is dropped.
    Drop,
}

/// How a row of frames is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What to do with late frames.
    pub policy: Policy,
    /// Frames in the row at most.
    pub capacity: usize,
    /// One of so many frames is given to the network.
    pub interval: u32,
    /// How old boxes may be that a frame carries on.
    pub max_age: Duration,
}

/// When a frame was taken, where that is known, and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// On the axis of the stream.
    pub pts: Option<MediaTime>,
    /// On the axis of `now`.
    pub arrived: MediaTime,
}

impl Stamp {
    /// How much later than `earlier` this frame was taken, or `None` where it was taken before.
    pub fn since(&self, earlier: &Self) -> Option<Duration> {
        match (self.pts, earlier.pts) {
            (Some(own), Some(other)) => own.checked_since(other),
            _ => self.arrived.checked_since(earlier.arrived),
        }
    }
}

/// What the network says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<R> {
    /// What it found.
    Found(R),
    /// A newer frame of the same stream was looked at instead.
    Superseded,
    /// It failed on this frame.
    Failed,
}

/// The boxes that a frame leaves with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boxes<R> {
    /// What was found in it.
    Own(R),
    /// Those of a frame that is so much older.
    Carried(Duration),
    /// None that are young enough.
    Bare,
}

/// Why a frame leaves without a result of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It has one.
    Inferred,
    /// It was not given to the network.
    LeftOut,
    /// The network did not answer in time.
    Late,
    /// A newer frame was looked at instead.
    Superseded,
    /// The network failed on it.
    Failed,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<F, S, R> {
    /// Pass on what came between frames.
    Event(S),
    /// Pass on the frame.
    Push(F, Boxes<R>, Cause),
    /// Let go of the frame.
    Drop(F, Cause),
    /// A result came after its frame, which was of then: these are the boxes that are carried from now on.
    Refresh(R, Stamp),
    /// Nothing until then, or until something happens.
    Wait(Option<MediaTime>),
}

#[derive(Debug)]
struct Frame<F, Q> {
    frame: F,
    question: Option<Q>,
    stamp: Stamp,
    deadline: MediaTime,
}

#[derive(Debug)]
enum Entry<F, S, Q> {
    Frame(Frame<F, Q>),
    /// And whether boxes from before it mean nothing after it.
    Event(S, bool),
}

/// The row. `F` is a frame, `S` what comes between frames, `Q` a question to the network.
#[derive(Debug)]
pub struct Order<F, S, Q> {
    config: Config,
    entries: VecDeque<Entry<F, S, Q>>,
    frames: usize,
    /// Questions whose frames have gone.
    late: VecDeque<(Q, Stamp)>,
    /// The frame whose boxes are carried.
    carried: Option<Stamp>,
    /// Frames until the next one that is given to the network.
    until_asked: u32,
}

impl<F, S, Q> Order<F, S, Q> {
    /// An empty row.
    pub fn new(config: Config) -> Self {
        Self {
            entries: VecDeque::with_capacity(config.capacity + MOST_LATE),
            frames: 0,
            late: VecDeque::with_capacity(MOST_LATE + 1),
            carried: None,
            until_asked: 0,
            config,
        }
    }

    /// Changes how the row is kept, from the next frame on.
    pub fn configure(&mut self, config: Config) {
        self.config = config;
    }

    /// How the row is kept.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Frames in the row.
    pub const fn frames(&self) -> usize {
        self.frames
    }

    /// Whether nothing is in the row.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a frame may come; where frames must not be lost, it waits until then.
    pub const fn has_room(&self) -> bool {
        !matches!(self.config.policy, Policy::Block) || self.frames < self.config.capacity
    }

    /// Whether the frame that comes now is one for the network.
    pub fn asks(&mut self) -> bool {
        let rest = self.config.interval.saturating_sub(1);
        let asks = self.until_asked == 0;
        self.until_asked = if asks {
            rest
        } else {
            (self.until_asked - 1).min(rest)
        };
        asks
    }

    /// A frame came, and was given to the network where there is a `question`; its result should be there by
    /// `deadline`. Answers the frame that had to go for it.
    pub fn on_frame(
        &mut self,
        frame: F,
        question: Option<Q>,
        stamp: Stamp,
        deadline: MediaTime,
    ) -> Option<F> {
        let dropped = if self.frames >= self.config.capacity {
            self.make_room(stamp.arrived)
        } else {
            None
        };
        self.frames += 1;
        self.entries.push_back(Entry::Frame(Frame {
            frame,
            question,
            stamp,
            deadline,
        }));
        dropped
    }

    /// Something that is no frame came; it `breaks` where boxes from before it mean nothing after it.
    pub fn on_event(&mut self, event: S, breaks: bool) {
        if breaks {
            self.until_asked = 0;
        }
        self.entries.push_back(Entry::Event(event, breaks));
    }

    /// What to do now. `poll` answers whether the network has said something to a question; asked for each until it
    /// answers.
    pub fn next<R>(
        &mut self,
        now: MediaTime,
        mut poll: impl FnMut(&mut Q) -> Option<Outcome<R>>,
    ) -> Step<F, S, R> {
        if let Some((result, stamp)) = self.late_result(&mut poll) {
            return Step::Refresh(result, stamp);
        }
        let block = self.config.policy == Policy::Block;
        let outcome = match self.entries.front_mut() {
            None => return Step::Wait(None),
            Some(Entry::Event(..)) => return self.pop_event(),
            Some(Entry::Frame(front)) => match front.question.as_mut() {
                None => None,
                Some(question) => match poll(question) {
                    Some(outcome) => Some(outcome),
                    None if block => return Step::Wait(None),
                    None if now < front.deadline => return Step::Wait(Some(front.deadline)),
                    None => return self.pop_late(),
                },
            },
        };
        self.pop_frame(outcome)
    }

    /// All that is in the row, in order: what is no frame through `event`, and nothing stays.
    pub fn flush(&mut self, mut event: impl FnMut(S)) {
        for entry in self.entries.drain(..) {
            if let Entry::Event(what, _) = entry {
                event(what);
            }
        }
        self.frames = 0;
        self.until_asked = 0;
        self.forget();
    }

    /// Boxes from before mean nothing any more.
    pub fn forget(&mut self) {
        self.late.clear();
        self.carried = None;
    }

    /// The row is full: of the frames that only wait for the network the oldest shall wait no longer; where too many
    /// could have gone already, nobody takes them, and the oldest is dropped.
    fn make_room(&mut self, now: MediaTime) -> Option<F> {
        let excess = (self.config.capacity / EXCESS).max(1);
        if self.config.policy == Policy::Skip && self.frames < self.config.capacity + excess {
            let frames = self.entries.iter_mut().filter_map(|entry| match entry {
                Entry::Frame(frame) => Some(frame),
                Entry::Event(..) => None,
            });
            if let Some(frame) = frames.into_iter().find(|frame| frame.deadline > now) {
                frame.deadline = now;
                return None;
            }
        }
        let is_frame = |entry: &Entry<F, S, Q>| matches!(entry, Entry::Frame(_));
        let oldest = self.entries.iter().position(is_frame)?;
        match self.entries.remove(oldest)? {
            Entry::Frame(frame) => {
                self.frames -= 1;
                Some(frame.frame)
            }
            Entry::Event(..) => None,
        }
    }

    /// The first result of a frame that has gone, where it is younger than the boxes that are carried.
    fn late_result<R>(
        &mut self,
        poll: &mut impl FnMut(&mut Q) -> Option<Outcome<R>>,
    ) -> Option<(R, Stamp)> {
        let mut at = 0;
        while let Some((question, _)) = self.late.get_mut(at) {
            let Some(outcome) = poll(question) else {
                at += 1;
                continue;
            };
            let Some((_, stamp)) = self.late.remove(at) else {
                break;
            };
            let is_younger = self
                .carried
                .is_none_or(|carried| stamp.since(&carried).is_some());
            if let (Outcome::Found(result), true) = (outcome, is_younger) {
                self.carried = Some(stamp);
                return Some((result, stamp));
            }
        }
        None
    }

    fn pop_event<R>(&mut self) -> Step<F, S, R> {
        match self.entries.pop_front() {
            Some(Entry::Event(event, breaks)) => {
                if breaks {
                    self.forget();
                }
                Step::Event(event)
            }
            _ => Step::Wait(None),
        }
    }

    fn pop_front(&mut self) -> Option<Frame<F, Q>> {
        match self.entries.pop_front()? {
            Entry::Frame(frame) => {
                self.frames -= 1;
                Some(frame)
            }
            Entry::Event(..) => None,
        }
    }

    fn pop_late<R>(&mut self) -> Step<F, S, R> {
        let Some(front) = self.pop_front() else {
            return Step::Wait(None);
        };
        if self.late.len() >= MOST_LATE {
            self.late.pop_front();
        }
        if let Some(question) = front.question {
            self.late.push_back((question, front.stamp));
        }
        self.without_result(front.frame, &front.stamp, Cause::Late)
    }

    fn pop_frame<R>(&mut self, outcome: Option<Outcome<R>>) -> Step<F, S, R> {
        let Some(front) = self.pop_front() else {
            return Step::Wait(None);
        };
        match outcome {
            Some(Outcome::Found(result)) => {
                self.carried = Some(front.stamp);
                Step::Push(front.frame, Boxes::Own(result), Cause::Inferred)
            }
            Some(Outcome::Failed) => Step::Push(front.frame, Boxes::Bare, Cause::Failed),
            Some(Outcome::Superseded) => {
                self.without_result(front.frame, &front.stamp, Cause::Superseded)
            }
            None => Step::Push(front.frame, self.carry(&front.stamp), Cause::LeftOut),
        }
    }

    fn without_result<R>(&self, frame: F, stamp: &Stamp, reason: Cause) -> Step<F, S, R> {
        match self.config.policy {
            Policy::Drop => Step::Drop(frame, reason),
            Policy::Block | Policy::Skip => Step::Push(frame, self.carry(stamp), reason),
        }
    }

    fn carry<R>(&self, stamp: &Stamp) -> Boxes<R> {
        let age = self.carried.and_then(|carried| stamp.since(&carried));
        match age {
            Some(age) if age <= self.config.max_age => Boxes::Carried(age),
            _ => Boxes::Bare,
        }
    }
}
