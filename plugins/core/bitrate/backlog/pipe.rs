//! A sink on a slow connection in virtual time: an encoder, a queue, a socket's buffer, a bottleneck.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount};

use super::super::link::Random;
use super::super::{Config, Controller};
use super::Meter;

const TICK_MS: u64 = 3;
const FRAME_MS: u64 = 33;
const LOOK_MS: u64 = 51;
/// x264 needs up to 26 frames to follow; a first-order lag of 300 ms is there after 900 ms.
const ENCODER_LAG_MS: f64 = 300.0;
/// What the kernel holds for a connection of a few Mbit/s.
const SOCKET_BYTES: f64 = 100_000.0;

/// How a while went.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Share of the capacity that went out in the second half.
    pub(super) used_late: f64,
    /// The longest wait in the second half, in milliseconds of media.
    pub(super) behind_late: f64,
    pub(super) seconds_to_85: f64,
    pub(super) target_kbps: u64,
    /// Mean over the second half.
    pub(super) target_late: f64,
    pub(super) falls: u32,
}

pub(super) struct Pipe {
    pub(super) controller: Controller,
    meter: Meter,
    random: Random,
    queued: bool,
    now_ms: u64,
    encoder_bps: f64,
    /// Media time and bytes that wait before the socket.
    waiting: VecDeque<(u64, f64)>,
    socket: f64,
    pushing_since: Option<u64>,
}

impl Pipe {
    /// With a queue before the sink, or without.
    pub(super) fn new(config: Config, start: Bitrate, queued: bool, seed: u64) -> Self {
        let mut controller = Controller::new(config).expect("the test's limits are in order");
        controller.start_at(start, MediaTime::ZERO);
        Self {
            controller,
            meter: Meter::default(),
            random: Random::new(seed),
            queued,
            now_ms: 0,
            encoder_bps: start.as_bps() as f64,
            waiting: VecDeque::new(),
            socket: 0.0,
            pushing_since: None,
        }
    }

    pub(super) fn run(&mut self, seconds: u64, capacity_kbps: u64, content_kbps: u64) -> Outcome {
        let (mut out, mut bytes, mut each) = (Outcome::default(), 0.0, Vec::new());
        for ms in (0..seconds * 1000).step_by(TICK_MS as usize) {
            let before = self.controller.target();
            bytes += self.tick(capacity_kbps as f64, content_kbps as f64);
            out.falls += u32::from(self.controller.target() < before);
            if ms % 1000 >= 1000 - TICK_MS {
                each.push(std::mem::take(&mut bytes) * 8.0 / 1000.0 / capacity_kbps as f64);
            }
            let oldest = self.waiting.front().map_or(self.now_ms, |(at, _)| *at);
            if ms > seconds * 500 {
                let target = self.controller.target().as_bps() as f64 / 1_000.0;
                out.target_late += target * 2.0 * TICK_MS as f64 / (seconds * 1_000) as f64;
                out.behind_late = out.behind_late.max((self.now_ms - oldest) as f64);
            }
        }
        let late = &each[each.len() / 2..];
        out.used_late = late.iter().sum::<f64>() / late.len().max(1) as f64;
        let to_85 = each.iter().position(|used| *used >= 0.85);
        out.seconds_to_85 = to_85.map_or(f64::INFINITY, |at| at as f64);
        out.target_kbps = self.controller.target().as_bps() / 1000;
        out
    }

    /// Answers the bytes that went out.
    fn tick(&mut self, capacity_kbps: f64, content_kbps: f64) -> f64 {
        let now = MediaTime::from_millis(self.now_ms);
        let wanted = self.controller.target().as_bps() as f64;
        self.encoder_bps += (wanted - self.encoder_bps) * TICK_MS as f64 / ENCODER_LAG_MS;
        // Without a queue the encoder waits while the sink does; its camera leaves frames out.
        let waits = !self.queued && !self.waiting.is_empty();
        if self.now_ms.is_multiple_of(FRAME_MS) && !waits {
            self.send_frame(content_kbps, now);
        }
        let out = (capacity_kbps / 8.0 * TICK_MS as f64).min(self.socket);
        self.socket -= out;
        self.fill_socket(now);
        if self.now_ms.is_multiple_of(LOOK_MS) {
            let holding = self.pushing_since.map_or(0, |since| self.now_ms - since);
            let backlog = self.meter.read(Duration::from_millis(holding), now);
            self.controller.on_backlog(backlog, now);
        }
        self.now_ms += TICK_MS;
        out
    }

    fn send_frame(&mut self, content_kbps: f64, now: MediaTime) {
        let noise = 0.9 + 0.2 * self.random.next();
        let rate = self.encoder_bps.min(content_kbps * 1000.0);
        let bytes = rate * FRAME_MS as f64 / 8000.0 * noise;
        let size = ByteCount::new(bytes as u64);
        self.controller.on_sent(size, now);
        self.meter.on_passed(size, now);
        if self.waiting.is_empty() {
            self.meter.on_taken(now, now);
        }
        self.waiting.push_back((self.now_ms, bytes));
    }

    fn fill_socket(&mut self, now: MediaTime) {
        while let Some((_, bytes)) = self.waiting.front_mut() {
            let room = SOCKET_BYTES - self.socket;
            let moved = bytes.min(room);
            self.socket += moved;
            *bytes -= moved;
            if *bytes > 0.0 {
                if !self.queued {
                    self.pushing_since.get_or_insert(self.now_ms);
                }
                return;
            }
            self.waiting.pop_front();
            if let Some((at, _)) = self.waiting.front() {
                self.meter.on_taken(MediaTime::from_millis(*at), now);
            }
            if let Some(since) = self.pushing_since.take() {
                self.meter
                    .on_held(Duration::from_millis(self.now_ms - since), now);
            }
        }
    }
}
