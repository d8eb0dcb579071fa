//! Minutes of network in virtual time, packet by packet: every bound holds for each of 200 seeds, and where two are
//! given the tighter one for half of them.
//!
//! A seed decides when frames are sent, how large they are, which packets and messages get lost, and how late the
//! encoder follows (50 to 300 ms, first order).

use super::super::Config;
use super::super::link::Random;
use super::super::network::{Encoder, Network, Outcome, Phase, Sender};
use crate::units::Bitrate;

const SEEDS: u64 = 200;
const QUEUE: f64 = 0.3;
/// The burst of the network bench's tbf.
const BUCKET: f64 = 3_200.0;
const SENDER: Sender = Sender {
    limits: limits(150, 8_000),
    start: Bitrate::from_kbps(600),
    encoder: Encoder::PLAIN,
    from_s: 0.0,
    one_way_us: 25_000,
    feedback_jitter_us: 5_000.0,
    feedback_loss: 0.0,
    skew_ppm: 20.0,
};
const KEY_FRAMES: Encoder = Encoder {
    key_every: 60,
    key_size: 5.0,
    ..Encoder::PLAIN
};
/// RFC 8867, section 5: its rates and its way.
const RFC: Sender = Sender {
    limits: limits(150, 1_500),
    start: Bitrate::from_kbps(150),
    one_way_us: 50_000,
    ..SENDER
};

const fn limits(min: u64, max: u64) -> Config {
    Config {
        min: Bitrate::from_kbps(min),
        max: Bitrate::from_kbps(max),
    }
}

/// Every seed's outcome of a phase: of each flow, and what TCP got (bit/s).
struct Outcomes(Vec<(Vec<Outcome>, f64)>);

impl Outcomes {
    fn values(&self, flow: usize, get: impl Fn(&Outcome) -> f64) -> Vec<f64> {
        self.0.iter().map(|(flows, _)| get(&flows[flow])).collect()
    }

    fn least(&self, get: impl Fn(&Outcome) -> f64) -> f64 {
        spread(self.values(0, get)).0
    }

    fn half(&self, get: impl Fn(&Outcome) -> f64) -> f64 {
        spread(self.values(0, get)).1
    }

    fn most(&self, get: impl Fn(&Outcome) -> f64) -> f64 {
        spread(self.values(0, get)).2
    }

    /// Least and most of what flows had in the second half of the phase, as a ratio.
    fn fairness(&self) -> f64 {
        let ratio = |flows: &Vec<Outcome>| {
            let shares = flows.iter().map(|flow| flow.used_late);
            let least = shares.clone().fold(f64::INFINITY, f64::min);
            least / shares.fold(0.0, f64::max)
        };
        spread(self.0.iter().map(|(flows, _)| ratio(flows)).collect()).0
    }
}

/// Least, middle and most.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    (values[0], values[last / 2], values[last])
}

fn run(senders: &[Sender], burst: f64, phases: &[Phase]) -> Vec<Outcomes> {
    let mut all: Vec<Outcomes> = phases.iter().map(|_| Outcomes(Vec::new())).collect();
    for seed in 1..=SEEDS {
        let mut random = Random::new(seed * 7_919);
        let mut senders = senders.to_vec();
        for sender in &mut senders {
            sender.encoder.lag_us = 50_000.0 + 250_000.0 * random.next();
        }
        let mut network = Network::new(&senders, QUEUE, burst, seed);
        for (phase, outcomes) in phases.iter().zip(&mut all) {
            outcomes.0.push(network.run(*phase));
        }
    }
    all
}

macro_rules! bound {
    ($value:expr, <= $most:expr) => {
        let value: f64 = $value;
        assert!(
            value <= $most,
            "{} = {value} > {}",
            stringify!($value),
            $most
        );
    };
    ($value:expr, >= $least:expr) => {
        let value: f64 = $value;
        assert!(
            value >= $least,
            "{} = {value} < {}",
            stringify!($value),
            $least
        );
    };
}

#[test]
fn constant() {
    let all = run(&[SENDER], 0.0, &[Phase::of(60.0, 2_000.0)]);
    bound!(all[0].least(|o| o.used_late), >= 0.965);
    bound!(all[0].most(|o| o.to_85), <= 2.5);
    bound!(all[0].half(|o| o.queue_p50), <= 20.0);
    bound!(all[0].half(|o| o.queue_p95), <= 42.0);
    bound!(all[0].most(|o| o.queue_p95), <= 46.0);
    bound!(all[0].most(|o| o.queue_max), <= 200.0);
    bound!(all[0].most(|o| o.dropped), <= 0.0);
}

#[test]
fn constant_behind_a_token_bucket() {
    let all = run(&[SENDER], BUCKET, &[Phase::of(60.0, 2_000.0)]);
    bound!(all[0].least(|o| o.used_late), >= 0.97);
    bound!(all[0].most(|o| o.to_85), <= 2.5);
    bound!(all[0].half(|o| o.queue_p95), <= 36.0);
    bound!(all[0].most(|o| o.queue_p95), <= 43.0);
}

#[test]
fn key_frames_are_no_congestion() {
    let sender = Sender {
        encoder: KEY_FRAMES,
        ..SENDER
    };
    let all = run(&[sender], 0.0, &[Phase::of(60.0, 2_000.0)]);
    bound!(all[0].least(|o| o.used_late), >= 0.93);
    bound!(all[0].most(|o| o.dropped), <= 0.0);
}

#[test]
fn feedback_that_comes_late_or_never_and_clocks_that_drift() {
    let sender = Sender {
        feedback_jitter_us: 120_000.0,
        feedback_loss: 0.05,
        skew_ppm: 150.0,
        encoder: Encoder {
            noise: 0.25,
            ..Encoder::PLAIN
        },
        ..SENDER
    };
    let all = run(&[sender], 0.0, &[Phase::of(60.0, 2_000.0)]);
    bound!(all[0].half(|o| o.used_late), >= 0.9);
    bound!(all[0].least(|o| o.used_late), >= 0.82);
    bound!(all[0].half(|o| o.queue_p95), <= 50.0);
    bound!(all[0].most(|o| o.dropped), <= 0.0);
}

#[test]
fn steps() {
    let phases = [
        Phase::of(30.0, 4_000.0),
        Phase::of(30.0, 1_000.0),
        Phase::of(30.0, 3_000.0),
    ];
    let all = run(&[SENDER], 0.0, &phases);
    bound!(all[0].least(|o| o.used_late), >= 0.95);
    bound!(all[0].most(|o| o.to_85), <= 4.0);
    bound!(all[0].most(|o| o.dropped), <= 0.0);
    bound!(all[1].least(|o| o.used_late), >= 0.95);
    bound!(all[1].half(|o| o.short_after), <= 1.0);
    bound!(all[1].most(|o| o.short_after), <= 1.4);
    bound!(all[1].half(|o| o.dropped), <= 0.02);
    bound!(all[1].most(|o| o.dropped), <= 0.035);
    bound!(all[2].half(|o| o.to_85), <= 4.0);
    bound!(all[2].most(|o| o.to_85), <= 6.0);
    bound!(all[2].most(|o| o.queue_p95), <= 55.0);
    bound!(all[2].most(|o| o.dropped), <= 0.0);
}

#[test]
fn random_loss_is_carried() {
    for (loss, half, least) in [(0.02, 0.95, 0.92), (0.05, 0.92, 0.88), (0.10, 0.88, 0.82)] {
        let phase = Phase {
            random_loss: loss,
            ..Phase::of(45.0, 4_000.0)
        };
        let all = run(&[SENDER], 0.0, &[phase]);
        bound!(all[0].half(|o| o.used_late), >= half);
        bound!(all[0].least(|o| o.used_late), >= least);
        bound!(all[0].most(|o| o.queue_p95), <= 50.0);
    }
}

#[test]
fn beside_tcp() {
    let alone = Phase::of(12.0, 4_000.0);
    let beside = Phase {
        tcp: true,
        ..Phase::of(30.0, 4_000.0)
    };
    let sender = Sender {
        start: Bitrate::from_kbps(2_000),
        ..SENDER
    };
    let all = run(&[sender], 0.0, &[alone, beside, alone]);
    let ratio = |(flows, tcp): &(Vec<Outcome>, f64)| flows[0].used * beside.capacity / tcp;
    let (least, half, most) = spread(all[1].0.iter().map(ratio).collect());
    bound!(least, >= 0.5);
    bound!(half, >= 0.8);
    bound!(half, <= 1.25);
    bound!(most, <= 2.0);
    bound!(all[2].least(|o| o.used_late), >= 0.94);
    bound!(all[2].half(|o| o.to_85), <= 2.0);
}

#[test]
fn a_still_picture_then_a_busy_one() {
    let still = Phase {
        content: 100e3,
        ..Phase::of(20.0, 2_000.0)
    };
    let busy = Phase::of(15.0, 2_000.0);
    let sender = Sender {
        start: Bitrate::from_kbps(1_000),
        ..SENDER
    };
    let all = run(&[sender], 0.0, &[still, busy, still, busy]);
    bound!(all[1].most(|o| o.to_85), <= 1.5);
    bound!(all[3].most(|o| o.to_85), <= 0.5);
    for busy in [&all[1], &all[3]] {
        bound!(busy.most(|o| o.queue_p95), <= 60.0);
        bound!(busy.most(|o| o.dropped), <= 0.0);
    }
}

#[test]
fn rfc_8867_5_1() {
    let rates = [
        (40.0, 1_000.0),
        (20.0, 2_500.0),
        (20.0, 600.0),
        (20.0, 1_000.0),
    ];
    let phases = rates.map(|(seconds, kbps)| Phase::of(seconds, kbps));
    for burst in [0.0, BUCKET] {
        let all = run(&[RFC], burst, &phases);
        for (outcomes, phase) in all.iter().zip(phases) {
            let most = phase.capacity.min(1.5e6) / phase.capacity;
            bound!(outcomes.least(|o| o.used), >= 0.87 * most);
            bound!(outcomes.least(|o| o.used_late), >= 0.95 * most);
        }
        bound!(all[2].most(|o| o.short_after), <= 1.6);
        bound!(all[2].most(|o| o.dropped), <= 0.03);
    }
}

#[test]
fn flows_share_a_path() {
    let at = |from_s, one_way_us| Sender {
        from_s,
        one_way_us,
        ..RFC
    };
    // RFC 8867, 5.4: one after the other; 5.5: over ways of different length.
    let three = [0.0, 10.0, 20.0].map(|from_s| at(from_s, 50_000));
    let phases = [Phase::of(30.0, 3_500.0), Phase::of(60.0, 3_500.0)];
    bound!(run(&three, 0.0, &phases)[1].fairness(), >= 0.5);
    let ways = [(0.0, 10_000), (5.0, 50_000), (10.0, 150_000)];
    let ways = ways.map(|(from_s, way)| at(from_s, way));
    let all = run(&ways, 0.0, &phases);
    bound!(all[1].fairness(), >= 0.4);
    bound!(all[1].most(|o| o.queue_p95), <= 80.0);
}

#[test]
fn silence_of_the_receiver_lowers_the_target_and_feedback_raises_it_again() {
    let normal = Phase::of(20.0, 2_000.0);
    let silent = Phase {
        feedback: false,
        ..Phase::of(4.0, 2_000.0)
    };
    for seed in 1..=SEEDS {
        let mut network = Network::new(&[SENDER], QUEUE, 0.0, seed);
        network.run(normal);
        network.run(Phase {
            seconds: 2.0,
            ..silent
        });
        assert!(network.target(0) <= 1.1e6, "seed {seed}");
        network.run(silent);
        let (flows, _) = network.run(normal);
        assert!(flows[0].to_85 <= 5.0, "seed {seed}: {flows:?}");
    }
}
