//! Minutes of SRT in virtual time, over 200 seeds: a queue of 300 ms that drops, a smoothed round trip, repair.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::link::Random;
use super::super::{Config, Controller};
use super::{SrtCounters, SrtMeter};
use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount};

const SEEDS: u64 = 200;
const LIMITS: Config = Config {
    min: Bitrate::from_kbps(100),
    max: Bitrate::from_kbps(8_000),
};
const TICK_MS: u64 = 2;
const FRAME_MS: u64 = 34;
const LOOK_MS: u64 = 50;
const PACKET: f64 = 1_316.0;
const RTT_MS: f64 = 50.0;
const QUEUE_SECONDS: f64 = 0.3;
/// x264 needs up to 26 frames to follow; a first-order lag of 300 ms is there after 900 ms.
const ENCODER_LAG_MS: f64 = 300.0;
/// SRT smooths over eight acknowledgements, one every 10 ms.
const RTT_LAG_MS: f64 = 80.0;

#[derive(Clone, Debug, Default)]
struct Outcome {
    used_late: f64,
    dropped: f64,
    queue_p95: f64,
    seconds_to_85: f64,
    target_kbps: u64,
}

struct Connection {
    controller: Controller,
    meter: SrtMeter,
    random: Random,
    now_ms: u64,
    encoder_bps: f64,
    queue: f64,
    rtt_ms: f64,
    latency: Duration,
    counters: SrtCounters,
    /// When to send again, and when that was first sent.
    again: VecDeque<(u64, u64)>,
    random_loss: f64,
    dropped: u64,
}

impl Connection {
    fn new(start_kbps: u64, latency_ms: u64, random_loss: f64, seed: u64) -> Self {
        let mut controller = Controller::new(LIMITS).expect("the limits are in order");
        let start = Bitrate::from_kbps(start_kbps);
        controller.start_at(start, MediaTime::ZERO);
        Self {
            controller,
            meter: SrtMeter::default(),
            random: Random::new(seed),
            now_ms: 0,
            encoder_bps: start.as_bps() as f64,
            queue: 0.0,
            rtt_ms: RTT_MS,
            latency: Duration::from_millis(latency_ms),
            counters: SrtCounters::default(),
            again: VecDeque::new(),
            random_loss,
            dropped: 0,
        }
    }

    fn run(&mut self, seconds: u64, capacity_kbps: u64, content_kbps: u64) -> Outcome {
        let capacity = capacity_kbps as f64 * 1_000.0;
        let (mut queues, mut each, mut bytes) = (Vec::new(), Vec::new(), 0.0);
        let (dropped, packets) = (self.dropped, self.counters.packets);
        for ms in (0..seconds * 1_000).step_by(TICK_MS as usize) {
            bytes += self.tick(capacity, content_kbps as f64 * 1_000.0);
            queues.push(self.queue * 8_000.0 / capacity);
            if ms % 1_000 >= 1_000 - TICK_MS {
                each.push(std::mem::take(&mut bytes) * 8.0 / capacity);
            }
        }
        queues.sort_by(f64::total_cmp);
        let late = &each[each.len() / 2..];
        let to_85 = each.iter().position(|used| *used >= 0.85);
        let sent = (self.counters.packets - packets).max(1);
        Outcome {
            used_late: late.iter().sum::<f64>() / late.len().max(1) as f64,
            dropped: (self.dropped - dropped) as f64 / sent as f64,
            queue_p95: queues[queues.len() * 95 / 100],
            seconds_to_85: to_85.map_or(f64::INFINITY, |at| at as f64),
            target_kbps: self.controller.target().as_bps() / 1_000,
        }
    }

    /// Answers the bytes that left the queue.
    fn tick(&mut self, capacity: f64, content: f64) -> f64 {
        let now = MediaTime::from_millis(self.now_ms);
        let wanted = self.controller.target().as_bps() as f64;
        self.encoder_bps += (wanted - self.encoder_bps) * TICK_MS as f64 / ENCODER_LAG_MS;
        let out = (capacity / 8_000.0 * TICK_MS as f64).min(self.queue);
        self.queue -= out;
        while let Some((_, born)) = self
            .again
            .front()
            .copied()
            .filter(|(at, _)| *at <= self.now_ms)
        {
            self.again.pop_front();
            if self.now_ms - born > self.latency.as_millis() as u64 {
                continue;
            }
            self.counters.packets_again += 1;
            self.counters.bytes_again += PACKET as u64 + 44;
            self.send(PACKET, born, capacity);
        }
        if self.now_ms.is_multiple_of(FRAME_MS) {
            let noise = 0.9 + 0.2 * self.random.next();
            let frame = self.encoder_bps.min(content) * FRAME_MS as f64 / 8_000.0 * noise;
            self.controller.on_sent(ByteCount::new(frame as u64), now);
            let mut left = frame;
            while left > 0.0 {
                self.send(left.min(PACKET), self.now_ms, capacity);
                left -= PACKET;
            }
        }
        let rtt = RTT_MS + self.queue * 8_000.0 / capacity + 5.0 * self.random.next();
        self.rtt_ms += (rtt - self.rtt_ms) * TICK_MS as f64 / RTT_LAG_MS;
        if self.now_ms.is_multiple_of(LOOK_MS) {
            self.look(now);
        }
        self.now_ms += TICK_MS;
        out
    }

    fn look(&mut self, now: MediaTime) {
        self.counters.rtt = Duration::from_secs_f64(self.rtt_ms / 1_000.0);
        self.counters.latency = self.latency;
        if let Some(report) = self.meter.on_counters(self.counters, now) {
            self.controller.on_srt(report, now);
        }
    }

    fn send(&mut self, size: f64, born: u64, capacity: f64) {
        self.counters.packets += 1;
        self.counters.bytes += size as u64 + 44;
        let full = self.queue + size > capacity / 8.0 * QUEUE_SECONDS;
        if full {
            self.dropped += 1;
        }
        if full || self.random.next() < self.random_loss {
            self.again
                .push_back((self.now_ms + self.rtt_ms as u64, born));
        } else {
            self.queue += size;
        }
    }
}

/// Runs `phases` (seconds, capacity, need of the picture) with every seed; hands each one's outcome to `check`.
fn every_seed(
    (start_kbps, latency_ms, random_loss): (u64, u64, f64),
    phases: &[(u64, u64, u64)],
    check: impl Fn(u64, usize, &Outcome),
) {
    for seed in 1..=SEEDS {
        let mut connection = Connection::new(start_kbps, latency_ms, random_loss, seed);
        for (number, (seconds, capacity, content)) in phases.iter().enumerate() {
            let outcome = connection.run(*seconds, *capacity, *content);
            check(seed, number, &outcome);
        }
    }
}

const ANY: u64 = u64::MAX;

#[test]
fn three_into_two_uses_the_path_and_drops_little() {
    for latency in [125, 500, 2_000] {
        every_seed(
            (3_000, latency, 0.0),
            &[(60, 2_000, ANY)],
            |seed, _, out| {
                assert!(out.used_late >= 0.88, "{latency}, seed {seed}: {out:?}");
                assert!(out.dropped <= 0.02, "{latency}, seed {seed}: {out:?}");
                assert!(out.queue_p95 <= 100.0, "{latency}, seed {seed}: {out:?}");
            },
        );
    }
}

#[test]
fn follows_the_capacity_down_and_up_again() {
    let phases = [(30, 4_000, ANY), (30, 1_000, ANY), (30, 3_000, ANY)];
    every_seed((600, 500, 0.0), &phases, |seed, number, out| {
        assert!(out.used_late >= 0.85, "seed {seed}, {number}: {out:?}");
        // At 4 Mbit/s the queue of a path of 1 Mbit/s is full after 100 ms.
        let most = if number == 1 { 0.14 } else { 0.02 };
        assert!(out.dropped <= most, "seed {seed}, {number}: {out:?}");
        let slowest = if number == 2 { 8.0 } else { 6.0 };
        assert!(
            out.seconds_to_85 <= slowest,
            "seed {seed}, {number}: {out:?}"
        );
    });
}

#[test]
fn loss_that_is_repaired_is_carried() {
    for (loss, least) in [(0.02, 0.85), (0.05, 0.8)] {
        every_seed((1_000, 500, loss), &[(60, 4_000, ANY)], |seed, _, out| {
            assert!(out.used_late >= least, "{loss}, seed {seed}: {out:?}");
        });
    }
}

#[test]
fn a_still_picture_neither_raises_nor_lowers_the_target() {
    every_seed((1_500, 500, 0.0), &[(60, 2_000, 300)], |seed, _, out| {
        assert_eq!(out.target_kbps, 1_500, "seed {seed}: {out:?}");
    });
}
