//! How far a stream has come: the time of its buffers, on an axis that never jumps.

use std::time::Duration;

use crate::time::MediaTime;

/// A longer step is a seek or another stream, not a gap in this one.
const JUMP: Duration = Duration::from_secs(10);

/// Adds up the steps from buffer to buffer. A stream that runs faster than real time is measured in its own time;
/// one whose buffers carry no time is measured by the clock.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    at: MediaTime,
    last: Option<(Option<MediaTime>, MediaTime)>,
}

impl Progress {
    /// A buffer of the time `media` passes `now`. Answers how far the stream is.
    pub fn on_buffer(&mut self, media: Option<MediaTime>, now: MediaTime) -> MediaTime {
        let step = match (media, self.last) {
            (_, None) => Duration::ZERO,
            (Some(media), Some((Some(last), _))) => media.since(last),
            (_, Some((_, last))) => now.since(last),
        };
        if step <= JUMP {
            self.at = self.at.after(step);
        }
        self.last = Some((media, now));
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn the_time_of_the_buffers_counts_and_jumps_do_not() {
        let mut progress = Progress::default();
        let now = ms(1);
        assert_eq!(progress.on_buffer(Some(ms(5_000)), now), ms(0));
        assert_eq!(progress.on_buffer(Some(ms(5_040)), now), ms(40));
        assert_eq!(progress.on_buffer(Some(ms(5_040)), now), ms(40));
        assert_eq!(progress.on_buffer(Some(ms(0)), now), ms(40));
        assert_eq!(progress.on_buffer(Some(ms(40)), now), ms(80));
        assert_eq!(progress.on_buffer(Some(ms(90_000)), now), ms(80));
        assert_eq!(progress.on_buffer(Some(ms(91_000)), now), ms(1_080));
    }

    #[test]
    fn without_times_the_clock_counts() {
        let mut progress = Progress::default();
        assert_eq!(progress.on_buffer(None, ms(100)), ms(0));
        assert_eq!(progress.on_buffer(None, ms(130)), ms(30));
        assert_eq!(progress.on_buffer(Some(ms(9)), ms(140)), ms(40));
        assert_eq!(progress.on_buffer(Some(ms(19)), ms(999)), ms(50));
    }
}
