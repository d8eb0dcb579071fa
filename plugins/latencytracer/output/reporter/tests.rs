//! The thread with something that says what it is asked.

use super::super::sample::snapshot;
use super::*;
use std::sync::mpsc::{Receiver, Sender, channel};

const LIMIT: Duration = Duration::from_secs(30);

/// Says what it is asked; `stuck` never answers.
struct Told {
    asked: Sender<Over>,
    stuck: Option<Receiver<()>>,
}

impl Reported for Told {
    fn snapshot(&mut self, over: Over) -> Option<Snapshot> {
        let _ = self.asked.send(over);
        if let Some(stuck) = &self.stuck {
            let _ = stuck.recv();
        }
        Some(snapshot())
    }

    fn on_interval(&mut self, _snapshot: &Snapshot) {}

    fn on_trouble(&mut self, _trouble: &str) {}
}

fn plan(millis: u64) -> Plan {
    gst::init().expect("GStreamer starts");
    Plan {
        interval: Duration::from_millis(millis),
        tell: true,
        ..Plan::default()
    }
}

fn start(plan: Plan) -> (Option<Reporter>, Receiver<Over>) {
    let (asked, answers) = channel();
    let told = Told { asked, stuck: None };
    (Reporter::start(plan, told).expect("a thread"), answers)
}

#[test]
fn nothing_to_do_is_no_thread() {
    let idle = Plan {
        interval: Duration::from_millis(1),
        ..Plan::default()
    };
    assert!(start(idle).0.is_none());
    let log = Targets {
        log: Some("/dev/null".into()),
        ..Targets::default()
    };
    let logs = Plan {
        targets: log,
        ..plan(0)
    };
    assert!(start(logs).0.is_some());
}

#[test]
fn intervals_are_asked_for_until_it_is_dropped() {
    let (reporter, asked) = start(plan(1));
    for _ in 0..3 {
        assert_eq!(asked.recv_timeout(LIMIT), Ok(Over::Interval));
    }
    drop(reporter);
    while asked.try_recv().is_ok() {}
    assert!(asked.recv().is_err(), "its thread has ended");
}

#[test]
fn without_an_interval_only_the_end_is_asked_for_and_once() {
    let eos = Plan {
        report: ReportAt::Eos,
        targets: Targets {
            report: Some("/dev/null".into()),
            ..Targets::default()
        },
        ..plan(0)
    };
    let (reporter, asked) = start(eos);
    let reporter = reporter.expect("it is needed");
    assert!(asked.try_recv().is_err());
    reporter.on_end();
    assert_eq!(asked.recv_timeout(LIMIT), Ok(Over::Interval));
    assert_eq!(asked.recv_timeout(LIMIT), Ok(Over::Total));
    drop(reporter);
    // The sample always has frames, so they are told of once more; nothing comes behind that.
    assert_eq!(
        asked.iter().collect::<Vec<_>>(),
        [Over::Interval, Over::Total]
    );
}

#[test]
fn an_interval_set_later_counts() {
    let (reporter, asked) = start(plan(0));
    let reporter = reporter.expect("it is needed");
    reporter.set_interval(Duration::from_millis(1));
    assert_eq!(asked.recv_timeout(LIMIT), Ok(Over::Interval));
}

#[test]
fn a_state_change_waits_for_a_report_that_hangs_but_not_for_ever() {
    let (asked, answers) = channel();
    let (_never, stuck) = channel();
    let told = Told {
        asked,
        stuck: Some(stuck),
    };
    let reporter = Reporter::start(plan(1), told).expect("a thread");
    assert_eq!(answers.recv_timeout(LIMIT), Ok(Over::Interval));
    let before = clock::monotonic();
    drop(reporter);
    let took = clock::monotonic().since(before);
    assert!(took >= PATIENCE && took < LIMIT, "{took:?}");
}
