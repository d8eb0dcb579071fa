//! One sender of ours with its receiver: an encoder that follows the controller, and feedback on every frame.

use std::collections::VecDeque;

use crate::time::MediaTime;
use crate::units::{Bitrate, ByteCount};

use super::super::link::Random;
use super::super::{Config, Controller, PacketResult};
use super::encoder::{Encoder, Encoding};

const PACKET: f64 = 1_200.0;
/// The receiver's clock began at another time.
const EPOCH_NS: u64 = 0xFFFF_FF00_0000_0000;
/// Transport-wide feedback tells arrival in these units.
const TICK_NS: u64 = 250_000;

/// What a sender of ours and its way is like.
#[derive(Clone, Copy)]
pub(in super::super) struct Sender {
    pub(in super::super) limits: Config,
    pub(in super::super) start: Bitrate,
    pub(in super::super) encoder: Encoder,
    pub(in super::super) from_s: f64,
    pub(in super::super) one_way_us: u64,
    /// Feedback takes up to this much longer than its way, in order.
    pub(in super::super) feedback_jitter_us: f64,
    pub(in super::super) feedback_loss: f64,
    /// How much faster the receiver's clock runs, parts per million.
    pub(in super::super) skew_ppm: f64,
}

#[derive(Clone, Copy)]
pub(super) struct Packet {
    pub(super) flow: Option<usize>,
    pub(super) number: u64,
    pub(super) size: u64,
    pub(super) sent_us: u64,
    pub(super) marker: bool,
}

pub(super) struct Flow {
    pub(super) sender: Sender,
    pub(super) controller: Controller,
    encoding: Encoding,
    next: u64,
    /// Sent packets not yet in a feedback message, oldest first.
    open: VecDeque<PacketResult>,
    first_open: u64,
    feedback: VecDeque<(u64, Vec<PacketResult>)>,
    spare: Vec<Vec<PacketResult>>,
}

impl Flow {
    pub(super) fn new(sender: Sender) -> Self {
        let mut controller = Controller::new(sender.limits).expect("limits in order");
        controller.start_at(sender.start, MediaTime::ZERO);
        Self {
            controller,
            encoding: Encoding::new(sender.encoder, sender.start.as_bps() as f64),
            sender,
            next: 0,
            open: VecDeque::new(),
            first_open: 0,
            feedback: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    pub(super) fn frame_us(&self) -> u64 {
        self.encoding.frame_us()
    }

    /// Sends a frame.
    pub(super) fn frame(
        &mut self,
        content: f64,
        now_us: u64,
        random: &mut Random,
        out: &mut Vec<Packet>,
    ) {
        let now = MediaTime::from_nanos(now_us * 1000);
        if self.controller.next_wakeup().is_some_and(|at| at <= now) {
            self.controller.on_timer(now);
        }
        let target = self.controller.target().as_bps() as f64;
        let mut left = self.encoding.frame(target, content, random);
        self.controller.on_sent(ByteCount::new(left as u64), now);
        while left > 0.0 {
            let size = left.min(PACKET);
            left -= size;
            let size = (size as u64).max(40);
            out.push(Packet {
                flow: None,
                number: self.next,
                size,
                sent_us: now_us,
                marker: left <= 0.0,
            });
            self.open.push_back(PacketResult {
                sequence: self.next,
                departed: now,
                arrived: None,
                size: ByteCount::new(size),
            });
            self.next += 1;
        }
    }

    /// A packet arrives at the receiver; answers when the sender hears of it, if it does.
    pub(super) fn on_arrival(
        &mut self,
        packet: &Packet,
        now_us: u64,
        random: &mut Random,
    ) -> Option<u64> {
        let skewed = now_us as f64 * self.sender.skew_ppm / 1e6;
        let clock = (now_us * 1000).wrapping_add((skewed * 1000.0) as i64 as u64);
        let ticks = EPOCH_NS.wrapping_add(clock) / TICK_NS * TICK_NS;
        let at = packet.number.checked_sub(self.first_open)?;
        if let Some(open) = self.open.get_mut(at as usize) {
            open.arrived = Some(MediaTime::from_nanos(ticks));
        }
        if !packet.marker {
            return None;
        }
        let mut message = self.spare.pop().unwrap_or_default();
        message.clear();
        message.extend(self.open.drain(..=at as usize));
        self.first_open = packet.number + 1;
        if random.next() < self.sender.feedback_loss {
            self.spare.push(message);
            return None;
        }
        let jitter = random.next() * self.sender.feedback_jitter_us;
        let wanted = now_us + self.sender.one_way_us + jitter as u64;
        let last = self.feedback.back().map_or(0, |(at, _)| *at);
        let at = wanted.max(last);
        self.feedback.push_back((at, message));
        Some(at)
    }

    /// Feedback reaches the sender.
    pub(super) fn on_feedback(&mut self, now_us: u64) {
        while self.feedback.front().is_some_and(|(at, _)| *at <= now_us) {
            if let Some((_, message)) = self.feedback.pop_front() {
                let now = MediaTime::from_nanos(now_us * 1000);
                self.controller.on_packets(&message, now);
                self.spare.push(message);
            }
        }
    }
}
