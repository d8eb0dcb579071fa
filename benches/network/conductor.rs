//! One run: makes the network, starts both ends, and does on time what the case says.

use crate::bottleneck::Bottleneck;
use crate::cases::{Case, Transport, Who};
use crate::child::{self, Child};
use crate::clock;
use crate::namespaces::{Network, Place};
use crate::rtmp_server::Server;
use crate::trace::{Seen, Trace};

const SECOND: u64 = 1_000_000_000;
/// The bottleneck is looked at that often.
const LOOK_INTERVAL: u64 = 20_000_000;
/// What is in the queue when the sender stops comes out by then.
const DRAIN: u64 = 400_000_000;

enum Action {
    Capacity(u32),
    Sender(&'static str),
    Receiver(&'static str),
}

pub fn run(case: &'static Case, who: Who) -> Trace {
    let begun = clock::now();
    let network = Network::new();
    let mut bottleneck = Bottleneck::new(&network, case.link[0].1);
    let server = (case.transport == Transport::Rtmp).then(|| Server::start(&network));
    let mut receiver = Child::start(&network, Place::Receiver, case, who);
    let mut sender = Child::start(&network, Place::Sender, case, who);
    sender.tell(child::PLAY);

    let start = clock::now();
    let end = start + u64::from(case.seconds) * SECOND;
    let mut actions = actions(case).into_iter().peekable();
    let mut seen = Vec::new();
    let mut next = start;
    while next < end {
        clock::wait_until(next);
        next += LOOK_INTERVAL;
        let due = |(at, _): &(u32, Action)| start + u64::from(*at) * SECOND <= clock::now();
        while let Some((_, action)) = actions.next_if(due) {
            match action {
                Action::Capacity(kbit) => bottleneck.change(kbit),
                Action::Sender(order) => sender.tell(order),
                Action::Receiver(order) => receiver.tell(order),
            }
        }
        seen.push((clock::now(), bottleneck.counters()));
    }
    let sender = sender.finish();
    clock::wait_until(clock::now() + DRAIN);
    let receiver = receiver.finish();
    drop((server, bottleneck, network));
    let seen = Seen {
        start,
        sender,
        receiver,
        bottleneck: seen,
    };
    let trace = Trace::of(case, &seen);
    say(case, who, &trace, clock::now() - begun);
    trace
}

/// What happens in the course of the case, and in which second.
fn actions(case: &Case) -> Vec<(u32, Action)> {
    let changes = case.link.iter().skip(1);
    let mut actions: Vec<_> = changes
        .map(|(at, kbit)| (*at, Action::Capacity(*kbit)))
        .collect();
    if case.still_until > 0 {
        actions.push((case.still_until, Action::Sender(child::MOVE_PICTURE)));
    }
    if let Some((from, to)) = case.tcp {
        actions.push((from, Action::Sender(child::START_TCP)));
        actions.push((to, Action::Receiver(child::STOP_TCP)));
    }
    actions.sort_by_key(|(at, _)| *at);
    actions
}

/// Progress: the rates of each second.
fn say(case: &Case, who: Who, trace: &Trace, took: u64) {
    let seconds = (0..case.seconds).map(f64::from);
    let rates = seconds.map(|at| format!("{:.1}", trace.arrived.rate(at, at + 1.0) / 1e6));
    let rates: Vec<String> = rates.collect();
    eprintln!(
        "{} {}: {} s; Mbit/s of each second: {}",
        case.name,
        who.name(),
        took / SECOND,
        rates.join(" ")
    );
}
