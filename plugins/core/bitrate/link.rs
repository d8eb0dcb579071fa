//! A small network in virtual time: an encoder, a drop-tail queue, a receiver that reports as RTCP does.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount, Ratio};

use super::{Config, Controller, IntervalReport};

const TICK_MS: u64 = 3;
const ONE_WAY_MS: u64 = 25;
const QUEUE_SECONDS: f64 = 0.3;
const PACKET: f64 = 1200.0;
const FRAME_MS: u64 = 33;
/// x264 needs up to 26 frames to follow; a first-order lag of 300 ms is there after 900 ms.
const ENCODER_LAG_MS: f64 = 300.0;

/// xorshift64*: enough randomness for a network, the same on every machine.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Between 0 and 1.
    pub(super) fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What the world is like for a while.
#[derive(Clone, Copy)]
pub(super) struct Phase {
    pub(super) seconds: u64,
    pub(super) capacity_kbps: u64,
    pub(super) random_loss: f64,
    /// The most that the picture needs, whatever the target.
    pub(super) content_kbps: u64,
    /// Reports reach the sender.
    pub(super) reports: bool,
}

impl Phase {
    pub(super) const fn of(seconds: u64, capacity_kbps: u64) -> Self {
        Self {
            seconds,
            capacity_kbps,
            random_loss: 0.0,
            content_kbps: u64::MAX,
            reports: true,
        }
    }
}

/// How a phase went.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Share of the capacity that arrived in the second half of the phase.
    pub(super) used_late: f64,
    /// Seconds until a second's mean was 85 % of the capacity.
    pub(super) seconds_to_85: f64,
    /// The queue in milliseconds: 95 of 100 moments were below the first; it was below 100 ms after the second.
    pub(super) queue_p95: f64,
    pub(super) queue_short_after: f64,
    /// Share of the packets that the queue dropped.
    pub(super) dropped: f64,
    pub(super) target_kbps: u64,
    pub(super) highest_target_kbps: u64,
}

pub(super) struct Link {
    pub(super) controller: Controller,
    random: Random,
    now_ms: u64,
    report_ms: u64,
    encoder_bps: f64,
    queue: f64,
    flying: VecDeque<(u64, u64, f64)>,
    next_seq: u64,
    next_sender_report: u64,
    sender_reports: VecDeque<(u64, f64)>,
    next_report: u64,
    last_report: u64,
    highest: u64,
    reported_highest: u64,
    arrived_packets: u64,
    arrived_bytes: f64,
    phase_bytes: f64,
    dropped: u64,
    backward: VecDeque<(u64, IntervalReport)>,
}

impl Link {
    pub(super) fn new(config: Config, start: Bitrate, report_ms: u64, seed: u64) -> Self {
        let mut controller = Controller::new(config).expect("the test's limits are in order");
        controller.start_at(start, MediaTime::ZERO);
        Self {
            controller,
            random: Random::new(seed),
            now_ms: 0,
            report_ms,
            encoder_bps: start.as_bps() as f64,
            queue: 0.0,
            flying: VecDeque::new(),
            next_seq: 0,
            next_sender_report: 0,
            sender_reports: VecDeque::new(),
            next_report: 0,
            last_report: 0,
            highest: 0,
            reported_highest: 0,
            arrived_packets: 0,
            arrived_bytes: 0.0,
            phase_bytes: 0.0,
            dropped: 0,
            backward: VecDeque::new(),
        }
    }

    pub(super) fn run(&mut self, phase: Phase) -> Outcome {
        let capacity = phase.capacity_kbps as f64 * 1000.0;
        let (mut queues, mut seconds) = (Vec::new(), Vec::new());
        let (sent_before, dropped_before) = (self.next_seq, self.dropped);
        let mut highest_target = Bitrate::ZERO;
        for ms in (0..phase.seconds * 1000).step_by(TICK_MS as usize) {
            self.tick(&phase);
            queues.push(self.queue * 8000.0 / capacity);
            highest_target = highest_target.max(self.controller.target());
            if ms % 1000 >= 1000 - TICK_MS {
                seconds.push(std::mem::take(&mut self.phase_bytes) * 8.0 / capacity);
            }
        }
        let late = &seconds[seconds.len() / 2..];
        let long = queues.iter().position(|ms| *ms > 100.0).unwrap_or(0);
        let short_after = queues[long..].iter().position(|ms| *ms <= 100.0);
        let short_after = short_after.map_or(f64::INFINITY, |at| (long + at) as f64);
        let to_85 = seconds.iter().position(|used| *used >= 0.85);
        let mut sorted = queues.clone();
        sorted.sort_by(f64::total_cmp);
        let sent = (self.next_seq - sent_before).max(1);
        Outcome {
            used_late: late.iter().sum::<f64>() / late.len().max(1) as f64,
            seconds_to_85: to_85.map_or(f64::INFINITY, |at| at as f64),
            queue_p95: sorted[sorted.len() * 95 / 100],
            queue_short_after: short_after * TICK_MS as f64 / 1000.0,
            dropped: (self.dropped - dropped_before) as f64 / sent as f64,
            target_kbps: self.controller.target().as_bps() / 1000,
            highest_target_kbps: highest_target.as_bps() / 1000,
        }
    }

    fn tick(&mut self, phase: &Phase) {
        let capacity = phase.capacity_kbps as f64 * 1000.0;
        let now = MediaTime::from_millis(self.now_ms);
        let wanted = self.controller.target().as_bps() as f64;
        self.encoder_bps += (wanted - self.encoder_bps) * TICK_MS as f64 / ENCODER_LAG_MS;
        self.queue = (self.queue - capacity / 8000.0 * TICK_MS as f64).max(0.0);
        if self.now_ms.is_multiple_of(FRAME_MS) {
            self.send_frame(phase, capacity, now);
        }
        self.exchange_reports(phase, capacity);
        while self
            .backward
            .front()
            .is_some_and(|(at, _)| *at <= self.now_ms)
        {
            let report = self.backward.pop_front().map(|(_, report)| report);
            self.controller.on_report(report.unwrap_or_default(), now);
        }
        if self.controller.next_wakeup().is_some_and(|at| at <= now) {
            self.controller.on_timer(now);
        }
        self.now_ms += TICK_MS;
    }

    fn send_frame(&mut self, phase: &Phase, capacity: f64, now: MediaTime) {
        let noise = 0.9 + 0.2 * self.random.next();
        let rate = self.encoder_bps.min(phase.content_kbps as f64 * 1000.0);
        let mut left = rate * FRAME_MS as f64 / 8000.0 * noise;
        self.controller.on_sent(ByteCount::new(left as u64), now);
        while left > 0.0 {
            let size = left.min(PACKET);
            left -= size;
            self.next_seq += 1;
            if self.random.next() < phase.random_loss {
                continue;
            }
            if self.queue + size > capacity / 8.0 * QUEUE_SECONDS {
                self.dropped += 1;
                continue;
            }
            self.queue += size;
            let wait = (self.queue * 8000.0 / capacity) as u64;
            let at = self.now_ms + wait + ONE_WAY_MS;
            self.flying.push_back((at, self.next_seq, size));
        }
    }

    fn exchange_reports(&mut self, phase: &Phase, capacity: f64) {
        if self.now_ms >= self.next_sender_report {
            let forward = self.queue * 8000.0 / capacity + ONE_WAY_MS as f64;
            let at = self.now_ms + forward as u64;
            self.sender_reports.push_back((at, forward));
            self.next_sender_report = self.now_ms + self.next_interval();
        }
        while let Some(&(at, seq, size)) = self.flying.front() {
            if at > self.now_ms {
                break;
            }
            self.flying.pop_front();
            self.highest = self.highest.max(seq);
            self.arrived_packets += 1;
            self.arrived_bytes += size;
            self.phase_bytes += size;
        }
        if self.now_ms >= self.next_report {
            self.next_report = self.now_ms + self.next_interval();
            let report = self.report();
            if phase.reports {
                self.backward.push_back((self.now_ms + ONE_WAY_MS, report));
            }
        }
    }

    fn report(&mut self) -> IntervalReport {
        let expected = self.highest - self.reported_highest;
        self.reported_highest = self.highest;
        let since = Duration::from_millis((self.now_ms - self.last_report).max(1));
        self.last_report = self.now_ms;
        let arrived = std::mem::take(&mut self.arrived_packets);
        let bytes = std::mem::take(&mut self.arrived_bytes);
        let mut heard = None;
        while let Some(&(at, forward)) = self.sender_reports.front() {
            if at > self.now_ms {
                break;
            }
            self.sender_reports.pop_front();
            heard = Some(forward);
        }
        let rtt = heard.map(|forward| forward + ONE_WAY_MS as f64);
        IntervalReport {
            loss: Ratio::of(expected.saturating_sub(arrived), expected),
            expected: u32::try_from(expected).ok(),
            delivered: Some(Bitrate::from_bytes_over(
                ByteCount::new(bytes as u64),
                since,
            )),
            rtt: rtt.map(|ms| Duration::from_secs_f64(ms / 1000.0)),
            ..IntervalReport::default()
        }
    }

    /// RTCP intervals are drawn between half and one and a half of their mean (RFC 3550, 6.3.1).
    fn next_interval(&mut self) -> u64 {
        (self.report_ms as f64 * (0.5 + self.random.next())) as u64
    }
}
