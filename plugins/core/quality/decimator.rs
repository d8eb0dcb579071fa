//! Brings a frame rate down by leaving out frames, evenly, by their time stamps.

use crate::time::MediaTime;

use super::rate::FrameRate;

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;

/// How much earlier than due a frame may come, as a part of the interval between two frames: nearly half, so that
/// time stamps may be off by as much either way. Not one half, where 60 to 30 frames a second would hang on rounding;
/// 9/20 lies well off the fractions that common pairs of rates meet (1/2, 2/5, 1/3, 1/4).
const EARLY: (i128, i128) = (9, 20);

/// Decides for each frame whether it stays.
///
/// A frame is due each interval, counted exactly and without drift from the first one that stayed; the frame that
/// stays is the one nearest to that. Over any span, no more frames stay than its length times the rate, plus one and a
/// half.
#[derive(Clone, Debug, Default)]
pub struct Decimator {
    rate: Option<FrameRate>,
    /// When the next frame is due, in nanoseconds times the rate's numerator: whole numbers at any rate.
    due: Option<i128>,
    last: Option<MediaTime>,
}

impl Decimator {
    /// Every frame stays until a rate is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most `rate` frames a second stay from now on, or all of them. The same rate again changes nothing; another
    /// one starts over: the next frame stays.
    pub fn set_rate(&mut self, rate: Option<FrameRate>) {
        if self.rate != rate {
            self.rate = rate;
            self.reset();
        }
    }

    /// Starts over: the next frame stays.
    pub fn reset(&mut self) {
        self.due = None;
        self.last = None;
    }

    /// Whether the frame shown at `at` stays. A time before that of the frame before it starts over.
    pub fn on_frame(&mut self, at: MediaTime) -> bool {
        let Some(rate) = self.rate else {
            return true;
        };
        if self.last.is_some_and(|last| at < last) {
            self.due = None;
        }
        self.last = Some(at);
        let time = i128::from(at.as_nanos()) * i128::from(rate.numerator());
        let interval = SECOND * i128::from(rate.denominator());
        let early = interval * EARLY.0 / EARLY.1;
        let due = self.due.unwrap_or(time);
        if time + early < due {
            return false;
        }
        // A frame later than that is one after a gap: what was missed meanwhile is not made up for.
        let latest = time - (interval - early);
        self.due = Some(due.max(latest) + interval);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimator(rate: &str) -> Decimator {
        let mut decimator = Decimator::new();
        decimator.set_rate(FrameRate::parse(rate));
        decimator
    }

    /// One letter for each frame of a second: K for kept.
    fn pattern(from: u64, to: &str, frames: u64) -> String {
        let mut decimator = decimator(to);
        let times = (0..frames).map(|n| MediaTime::from_nanos(n * 1_000_000_000 / from));
        times
            .map(|at| if decimator.on_frame(at) { 'K' } else { '-' })
            .collect()
    }

    #[test]
    fn frames_are_left_out_evenly() {
        assert_eq!(pattern(30, "25", 12), "KKK-KKKKK-KK");
        assert_eq!(pattern(30, "20", 9), "KK-KK-KK-");
        assert_eq!(pattern(30, "15", 8), "K-K-K-K-");
        assert_eq!(pattern(25, "20", 10), "KKK-KKKK-K");
        assert_eq!(pattern(60, "30", 8), "K-K-K-K-");
        assert_eq!(pattern(25, "15", 10), "KK-K-KK-K-");
    }

    #[test]
    fn a_rate_that_is_met_already_drops_nothing_however_the_time_stamps_tremble() {
        let mut decimator = decimator("30");
        for n in 0..3_000_u64 {
            let tremble = (n * 7_919) % 13_000_000;
            let at = MediaTime::from_nanos(n * 1_000_000_000 / 30 + tremble);
            assert!(decimator.on_frame(at), "frame {n}");
        }
    }

    #[test]
    fn an_hour_is_exact_within_one_frame() {
        for (from, to) in [(30, 25), (30, 20), (30, 15), (25, 20), (60, 25)] {
            let mut decimator = decimator(&to.to_string());
            let frames = 3_600 * from;
            let times = (0..frames).map(|n| MediaTime::from_nanos(n * 1_000_000_000 / from));
            let kept = times.filter(|at| decimator.on_frame(*at)).count() as u64;
            assert!(kept.abs_diff(3_600 * to) <= 1, "{from} to {to}: {kept}");
        }
    }

    #[test]
    fn a_gap_is_not_made_up_for_with_a_burst() {
        let mut decimator = decimator("15");
        assert!(decimator.on_frame(MediaTime::ZERO));
        let times = (0..60_u64).map(|n| MediaTime::from_millis(10_000 + n * 1_000 / 60));
        let kept = times.filter(|at| decimator.on_frame(*at)).count();
        assert!((15..=16).contains(&kept), "{kept}");
    }

    #[test]
    fn time_running_backwards_starts_over() {
        let mut decimator = decimator("10");
        assert!(decimator.on_frame(MediaTime::from_millis(50_000)));
        assert!(decimator.on_frame(MediaTime::from_millis(10)));
        assert!(!decimator.on_frame(MediaTime::from_millis(43)));
    }

    #[test]
    fn the_same_rate_again_keeps_the_beat() {
        let mut decimator = decimator("10");
        assert!(decimator.on_frame(MediaTime::ZERO));
        decimator.set_rate(FrameRate::parse("10"));
        assert!(!decimator.on_frame(MediaTime::from_millis(33)));
        decimator.reset();
        assert!(decimator.on_frame(MediaTime::from_millis(40)));
    }

    proptest! {
        #[test]
        fn never_above_the_rate_and_never_a_frame_short(
            numerator in 1..120_u32,
            denominator in 1..3_u32,
            steps in proptest::collection::vec(1_000_000..80_000_000_u64, 10..400),
        ) {
            let rate = FrameRate::new(numerator, denominator).unwrap();
            let mut decimator = Decimator::new();
            decimator.set_rate(Some(rate));
            let mut at = 0;
            let mut kept = 0;
            for step in &steps {
                kept += u32::from(decimator.on_frame(MediaTime::from_nanos(at)));
                at += step;
            }
            let shown = at - steps.last().unwrap();
            let most = shown as f64 * rate.as_f64() / 1e9 + 1.5;
            prop_assert!(f64::from(kept) <= most, "{kept} of at most {most}");
            let interval = 1e9 / rate.as_f64();
            if steps.iter().all(|step| (*step as f64) <= interval) {
                let least = shown as f64 * rate.as_f64() / 1e9 - 1.0;
                prop_assert!(f64::from(kept) >= least, "{kept} of at least {least}");
            }
        }
    }
}
