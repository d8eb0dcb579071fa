//! Hours of a live stream in virtual time: how often a false alarm comes, and how soon a true one.
//!
//! `cargo test -p livetune-core regression -- --nocapture` prints the figures.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use super::*;

const FPS: u64 = 30;
const SEEDS: u64 = 100;

/// xorshift64*, the same on every machine.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Between 0 and 1, without 0.
    fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Normal, near enough: four uniform numbers of 16 bits added up.
    fn normal(&mut self) -> f64 {
        let bits = self.bits();
        let sum: u64 = (0..4).map(|part| bits >> (16 * part) & 0xffff).sum();
        (sum as f64 / 65_536.0 - 2.0) * 3.0_f64.sqrt()
    }
}

/// What becomes of the latencies.
#[derive(Clone, Copy, Debug)]
enum Change {
    Nothing,
    Times(f64),
    Plus(f64),
    /// This part of the frames takes twice as long.
    Doubled(f64),
}

/// Frames of 20 ms: log-normal noise of 15 %, a load that drifts by `drift` over 10 s (AR(1)), one frame of a hundred in a
/// heavy tail (Pareto, 1.5), and twice a minute a hiccup of five frames by 50 to 200 ms.
struct Stream {
    random: Random,
    spread: f64,
    drift: f64,
    hiccup: (u32, f64),
    frame: u64,
}

impl Stream {
    fn new(spread: f64, seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            spread,
            drift: 0.0,
            hiccup: (0, 0.0),
            frame: 0,
        }
    }

    fn next(&mut self, change: Change) -> (Duration, MediaTime) {
        const KEPT: f64 = 1.0 - 1.0 / (10.0 * FPS as f64);
        let random = &mut self.random;
        let step = self.spread * (1.0 - KEPT * KEPT).sqrt();
        self.drift = KEPT * self.drift + step * random.normal();
        let mut ms = 20.0 * (0.15 * random.normal() + self.drift).exp();
        if random.uniform() < 0.01 {
            ms *= random.uniform().powf(-1.0 / 1.5);
        }
        if random.uniform() < 2.0 / (60.0 * FPS as f64) {
            self.hiccup = (5, 50.0 + 150.0 * random.uniform());
        }
        if self.hiccup.0 > 0 {
            self.hiccup.0 -= 1;
            ms += self.hiccup.1;
        }
        let ms = match change {
            Change::Nothing => ms,
            Change::Times(factor) => ms * factor,
            Change::Plus(more) => ms + more,
            Change::Doubled(part) if random.uniform() < part => ms * 2.0,
            Change::Doubled(_) => ms,
        };
        let now = MediaTime::from_nanos(self.frame * 1_000_000_000 / FPS);
        self.frame += 1;
        (Duration::from_secs_f64(ms.min(10_000.0) / 1_000.0), now)
    }

    /// Feeds `seconds` and answers the changes, with the seconds since the start of this call.
    fn run(
        &mut self,
        detector: &mut RegressionDetector,
        change: Change,
        seconds: u64,
    ) -> Vec<(f64, RegressionChange)> {
        let start = self.frame;
        let mut changes = Vec::new();
        for _ in 0..seconds * FPS {
            let (value, now) = self.next(change);
            detector.on_value(value, now);
            let after = (self.frame - start) as f64 / FPS as f64;
            changes.extend(detector.on_timer(now).map(|change| (after, change)));
        }
        changes
    }
}

fn detector() -> RegressionDetector {
    RegressionDetector::new(RegressionConfig::default()).expect("valid")
}

/// Other seeds than those with which the defaults were chosen.
fn false_alarms(spread: f64, hours: u64) -> usize {
    let alarms = (1_001..=1_000 + hours).map(|seed| {
        let mut detector = detector();
        let mut stream = Stream::new(spread, seed);
        let changes = stream.run(&mut detector, Change::Nothing, 3_660);
        let states = changes.into_iter().map(|(_, change)| change.state);
        let alarms = states.filter(|state| *state == RegressionState::Regressed);
        alarms.count()
    });
    let alarms = alarms.sum();
    println!("load drifts by {spread}: {alarms} false alarms in {hours} h");
    alarms
}

/// How many of the seeds told a change within two minutes, and when the last of them did.
fn found(change: Change) -> (usize, f64) {
    let delays = (1_001..=1_000 + SEEDS).filter_map(|seed| {
        let mut detector = detector();
        let mut stream = Stream::new(0.03, seed);
        stream.run(&mut detector, Change::Nothing, 180);
        detector.regressed().is_none().then_some(())?;
        let changes = stream.run(&mut detector, change, 120);
        changes.first().map(|(after, _)| *after)
    });
    let mut delays: Vec<f64> = delays.collect();
    delays.sort_by(f64::total_cmp);
    let median = delays.get(delays.len() / 2).copied().unwrap_or_default();
    let longest = delays.last().copied().unwrap_or_default();
    let count = delays.len();
    println!("{change:?}: told by {count} of {SEEDS}, after {median:.1} s, at most {longest:.1} s");
    (count, longest)
}

#[test]
fn no_false_alarm_comes_where_the_load_drifts_a_little() {
    assert!(false_alarms(0.03, 60) <= 1);
}

#[test]
fn false_alarms_are_few_where_the_load_drifts_much() {
    assert!(false_alarms(0.05, 30) <= 30);
}

#[test]
fn regressions_are_told_while_they_are_fresh() {
    let changes = [
        (Change::Times(1.2), 60.0),
        (Change::Times(1.5), 30.0),
        (Change::Plus(10.0), 30.0),
    ];
    for (change, most) in changes {
        let (count, longest) = found(change);
        assert!(count >= 99 && longest <= most, "{change:?}");
    }
    let (count, _) = found(Change::Doubled(0.1));
    assert!(count >= 90, "only the 95th percentile");
}

#[test]
fn an_improvement_is_never_told_and_a_trifle_rarely() {
    assert_eq!(found(Change::Times(0.7)).0, 0);
    assert!(found(Change::Times(1.05)).0 <= 5);
}
