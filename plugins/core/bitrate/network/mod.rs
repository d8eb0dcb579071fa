//! A network in virtual time, packet by packet: senders of ours and TCP transfers that share one drop-tail queue.

mod cubic;
mod encoder;
mod flow;
mod outcome;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::link::Random;
use cubic::{Cubic, SEGMENT};
pub(super) use encoder::Encoder;
pub(super) use flow::Sender;
use flow::{Flow, Packet};
pub(super) use outcome::Outcome;
use outcome::Watch;

/// What the path is like for a while.
#[derive(Clone, Copy)]
pub(super) struct Phase {
    pub(super) seconds: f64,
    pub(super) capacity: f64,
    pub(super) random_loss: f64,
    /// The most that the picture needs (bit/s), whatever the target.
    pub(super) content: f64,
    /// A TCP transfer runs.
    pub(super) tcp: bool,
    /// Feedback reaches the senders.
    pub(super) feedback: bool,
}

impl Phase {
    pub(super) const fn of(seconds: f64, kbps: f64) -> Self {
        Self {
            seconds,
            capacity: kbps * 1e3,
            random_loss: 0.0,
            content: f64::INFINITY,
            tcp: false,
            feedback: true,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Frame(usize),
    Departure,
    Arrival,
    Feedback(usize),
    Acknowledged,
    Tcp,
}

pub(super) struct Network {
    random: Random,
    now_us: u64,
    /// Queue in seconds of the capacity; bytes that pass at once after a rest (a token bucket's burst).
    queue_s: f64,
    burst: f64,
    capacity: f64,
    queue: VecDeque<Packet>,
    queued: u64,
    free_us: f64,
    events: BinaryHeap<Reverse<(u64, Event)>>,
    flying: BinaryHeap<Reverse<(u64, u64, usize)>>,
    slots: Vec<Packet>,
    free_slots: Vec<usize>,
    serial: u64,
    acks: VecDeque<(u64, u64, u64)>,
    flows: Vec<Flow>,
    tcp: Option<Cubic>,
    watches: Vec<Watch>,
    frame: Vec<Packet>,
}

impl Network {
    pub(super) fn new(senders: &[Sender], queue_s: f64, burst: f64, seed: u64) -> Self {
        let mut events = BinaryHeap::new();
        let mut random = Random::new(seed);
        for (number, sender) in senders.iter().enumerate() {
            let at = sender.from_s * 1e6 + random.next() * 33_000.0;
            events.push(Reverse((at as u64, Event::Frame(number))));
        }
        Self {
            random,
            now_us: 0,
            queue_s,
            burst,
            capacity: 1e6,
            queue: VecDeque::new(),
            queued: 0,
            free_us: 0.0,
            events,
            flying: BinaryHeap::new(),
            slots: Vec::new(),
            free_slots: Vec::new(),
            serial: 0,
            acks: VecDeque::new(),
            flows: senders.iter().map(|sender| Flow::new(*sender)).collect(),
            tcp: None,
            watches: Vec::new(),
            frame: Vec::new(),
        }
    }

    pub(super) fn target(&self, flow: usize) -> f64 {
        self.flows[flow].controller.target().as_bps() as f64
    }

    /// Runs for a phase; answers how each flow fared, and what TCP got (bit/s).
    pub(super) fn run(&mut self, phase: Phase) -> (Vec<Outcome>, f64) {
        let start = self.now_us;
        let end = start + (phase.seconds * 1e6) as u64;
        self.capacity = phase.capacity;
        let watch = || Watch::new(start, phase);
        self.watches = self.flows.iter().map(|_| watch()).collect();
        if phase.tcp && self.tcp.is_none() {
            self.tcp = Some(Cubic::new(start));
            self.events.push(Reverse((start, Event::Tcp)));
        }
        let before = self.tcp.as_ref().map_or(0, |tcp| tcp.arrived_bytes);
        while let Some(&Reverse((at, event))) = self.events.peek() {
            if at >= end {
                break;
            }
            self.events.pop();
            self.now_us = at;
            self.handle(event, &phase);
        }
        self.now_us = end;
        let tcp = self.tcp.as_ref().map_or(0, |tcp| tcp.arrived_bytes) - before;
        let outcomes = self.watches.iter_mut().map(Watch::outcome).collect();
        (outcomes, tcp as f64 * 8.0 / phase.seconds)
    }

    fn handle(&mut self, event: Event, phase: &Phase) {
        let now = self.now_us;
        match event {
            Event::Frame(number) => {
                let flow = &mut self.flows[number];
                self.events
                    .push(Reverse((now + flow.frame_us(), Event::Frame(number))));
                let mut frame = std::mem::take(&mut self.frame);
                flow.frame(phase.content, now, &mut self.random, &mut frame);
                self.watches[number].on_sent(frame.len());
                for packet in frame.drain(..) {
                    let flow = Some(number);
                    self.enqueue(Packet { flow, ..packet }, phase);
                }
                self.frame = frame;
            }
            Event::Departure => self.depart(),
            Event::Arrival => self.arrive(phase),
            Event::Feedback(number) if phase.feedback => self.flows[number].on_feedback(now),
            Event::Feedback(_) => {}
            Event::Acknowledged => {
                while self.acks.front().is_some_and(|(at, ..)| *at <= now) {
                    if let (Some((_, number, sent)), Some(tcp)) =
                        (self.acks.pop_front(), &mut self.tcp)
                    {
                        tcp.on_ack(number, sent, now);
                    }
                }
                self.send_tcp(phase);
            }
            Event::Tcp => {
                if let Some(tcp) = &mut self.tcp {
                    tcp.on_time(now);
                }
                self.send_tcp(phase);
                self.events.push(Reverse((now + 100_000, Event::Tcp)));
            }
        }
    }

    fn send_tcp(&mut self, phase: &Phase) {
        if !phase.tcp {
            return;
        }
        while let Some(tcp) = self.tcp.as_mut().filter(|tcp| tcp.may_send()) {
            let packet = Packet {
                flow: None,
                number: tcp.next,
                size: SEGMENT,
                sent_us: self.now_us,
                marker: false,
            };
            tcp.next += 1;
            self.enqueue(packet, phase);
        }
    }

    fn enqueue(&mut self, packet: Packet, phase: &Phase) {
        if packet.flow.is_some() && self.random.next() < phase.random_loss {
            return;
        }
        let limit = self.capacity / 8.0 * self.queue_s + self.burst;
        if (self.queued + packet.size) as f64 > limit {
            if let Some(flow) = packet.flow {
                self.watches[flow].on_dropped();
            }
            return;
        }
        self.queued += packet.size;
        self.queue.push_back(packet);
        if self.queue.len() == 1 {
            self.serve();
        }
    }

    /// The head of the queue is on its way out.
    fn serve(&mut self) {
        let Some(head) = self.queue.front() else {
            return;
        };
        let now = self.now_us as f64;
        let saved = self.burst * 8e6 / self.capacity;
        self.free_us = self.free_us.max(now - saved) + head.size as f64 * 8e6 / self.capacity;
        let at = self.free_us.max(now) as u64;
        self.events.push(Reverse((at, Event::Departure)));
    }

    fn depart(&mut self) {
        let Some(packet) = self.queue.pop_front() else {
            return;
        };
        self.queued -= packet.size;
        self.serve();
        let way = packet
            .flow
            .map_or(25_000, |n| self.flows[n].sender.one_way_us);
        let slot = self.free_slots.pop().unwrap_or(self.slots.len());
        if slot == self.slots.len() {
            self.slots.push(packet);
        } else {
            self.slots[slot] = packet;
        }
        self.serial += 1;
        self.flying
            .push(Reverse((self.now_us + way, self.serial, slot)));
        self.events
            .push(Reverse((self.now_us + way, Event::Arrival)));
    }

    fn arrive(&mut self, phase: &Phase) {
        let Some(Reverse((now, _, slot))) = self.flying.pop() else {
            return;
        };
        self.free_slots.push(slot);
        let packet = self.slots[slot];
        let Some(number) = packet.flow else {
            if let Some(tcp) = &mut self.tcp {
                tcp.arrived_bytes += packet.size;
            }
            self.acks
                .push_back((now + 25_000, packet.number, packet.sent_us));
            self.events
                .push(Reverse((now + 25_000, Event::Acknowledged)));
            return;
        };
        let flow = &mut self.flows[number];
        let alone = packet.size as f64 * 8e6 / phase.capacity;
        let waited = (now - packet.sent_us - flow.sender.one_way_us) as f64 - alone;
        self.watches[number].on_arrival(packet.size, waited.max(0.0) / 1e3, now);
        if let Some(at) = flow.on_arrival(&packet, now, &mut self.random) {
            self.events.push(Reverse((at, Event::Feedback(number))));
        }
    }
}
