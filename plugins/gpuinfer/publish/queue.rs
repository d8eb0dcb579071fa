//! Lines on their way to the thread that writes them: so many and no more.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::runtime::lock::lock;

/// Lines that may wait: ten seconds of a camera.
const MOST_LINES: usize = 300;

/// Counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::gpuinfer) struct Published {
    /// Lines written.
    pub(in crate::gpuinfer) lines: u64,
    /// Lines that nobody took in time.
    pub(in crate::gpuinfer) dropped: u64,
}

#[derive(Debug, Default)]
struct Inside {
    lines: VecDeque<Vec<u8>>,
    spares: Vec<Vec<u8>>,
    published: Published,
    trouble: Option<String>,
    is_closed: bool,
}

/// Between the frames and the thread that writes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    inside: Mutex<Inside>,
    changed: Condvar,
}

impl Queue {
    /// An empty line that may have been used before.
    pub(super) fn spare(&self) -> Vec<u8> {
        let mut line = lock(&self.inside).spares.pop().unwrap_or_default();
        line.clear();
        line
    }

    /// Puts `line` at the end. Where too many wait the oldest is dropped: who comes late wants to know what is now.
    pub(super) fn push(&self, line: Vec<u8>) {
        let mut inside = lock(&self.inside);
        inside.lines.push_back(line);
        if inside.lines.len() > MOST_LINES
            && let Some(oldest) = inside.lines.pop_front()
        {
            inside.published.dropped += 1;
            inside.spares.push(oldest);
        }
        drop(inside);
        self.changed.notify_one();
    }

    /// The next line, as soon as there is one; `None` when no more will come.
    pub(super) fn next(&self) -> Option<Vec<u8>> {
        let inside = lock(&self.inside);
        let is_idle = |inside: &mut Inside| inside.lines.is_empty() && !inside.is_closed;
        let waited = self.changed.wait_while(inside, is_idle);
        let mut inside = waited.unwrap_or_else(PoisonError::into_inner);
        inside.lines.pop_front()
    }

    /// `line` is done with, written or not.
    pub(super) fn done(&self, line: Vec<u8>, is_written: bool) {
        let mut inside = lock(&self.inside);
        if is_written {
            inside.published.lines += 1;
        } else {
            inside.published.dropped += 1;
        }
        inside.spares.push(line);
    }

    /// Waits for `pause`, or for the end; whether that has come.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let inside = lock(&self.inside);
        let is_open = |inside: &mut Inside| !inside.is_closed;
        let waited = self.changed.wait_timeout_while(inside, pause, is_open);
        let (inside, _): (MutexGuard<'_, Inside>, _) =
            waited.unwrap_or_else(PoisonError::into_inner);
        inside.is_closed
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.inside).is_closed
    }

    pub(super) fn complain(&self, why: String) {
        lock(&self.inside).trouble = Some(why);
    }

    pub(super) fn take_trouble(&self) -> Option<String> {
        lock(&self.inside).trouble.take()
    }

    pub(super) fn published(&self) -> Published {
        lock(&self.inside).published
    }

    pub(super) fn close(&self) {
        lock(&self.inside).is_closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_lines_the_oldest_go_and_are_counted() {
        let queue = Queue::default();
        for number in 0..MOST_LINES + 5 {
            let mut line = queue.spare();
            line.extend_from_slice(number.to_string().as_bytes());
            queue.push(line);
        }
        assert_eq!(queue.published().dropped, 5);
        assert_eq!(queue.next(), Some(b"5".to_vec()));
        queue.close();
        let rest = std::iter::from_fn(|| queue.next()).count();
        assert_eq!(rest, MOST_LINES - 1);
    }
}
