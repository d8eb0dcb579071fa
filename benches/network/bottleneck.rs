//! The narrow place of the network: tbf on the router's way out, set and read through one `tc` that stays.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use crate::namespaces::{BOTTLENECK_DEVICE, Network, Place};

/// Two packets: the least that lets tbf reach its rate.
const BURST: u32 = 3_200;
/// RFC 8867, 4.1: a drop-tail queue of 300 ms.
const QUEUE_MS: u32 = 300;

pub struct Bottleneck {
    tc: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What the queue has done so far, and what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub bytes: u64,
    pub packets: u64,
    pub dropped: u64,
    pub waiting_bytes: u64,
}

impl Bottleneck {
    pub fn new(network: &Network, kbit: u32) -> Self {
        let mut tc = network
            .command(Place::Router, "tc")
            .args(["-s", "-j", "-batch", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (tc.stdin.take().unwrap(), tc.stdout.take().unwrap());
        let mut bottleneck = Self {
            tc,
            questions: stdin,
            answers: BufReader::new(stdout),
        };
        bottleneck.shape("add", kbit);
        bottleneck
    }

    /// From now on it has `kbit` a second.
    pub fn change(&mut self, kbit: u32) {
        self.shape("change", kbit);
    }

    fn shape(&mut self, verb: &str, kbit: u32) {
        let tbf = format!("tbf rate {kbit}kbit burst {BURST} latency {QUEUE_MS}ms");
        let line = format!("qdisc {verb} dev {BOTTLENECK_DEVICE} root handle 1: {tbf}");
        writeln!(self.questions, "{line}").unwrap();
    }

    pub fn counters(&mut self) -> Counters {
        writeln!(self.questions, "qdisc show dev {BOTTLENECK_DEVICE}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let told: serde_json::Value = serde_json::from_str(&line).expect("tc tells of its queue");
        let number = |field: &str| told[0][field].as_u64().unwrap_or_default();
        Counters {
            bytes: number("bytes"),
            packets: number("packets"),
            dropped: number("drops"),
            waiting_bytes: number("backlog"),
        }
    }
}

impl Drop for Bottleneck {
    fn drop(&mut self) {
        let _ = self.tc.kill();
        let _ = self.tc.wait();
    }
}
