//! This program again, as sender or receiver in a namespace: it does what it is told, line by line, and tells what it saw.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, ChildStdin, ChildStdout, Stdio};

use gst::prelude::*;

use crate::cases::{Case, Who};
use crate::namespaces::{Network, Place};
use crate::record::{Log, Record};

pub const SENDER: &str = "role-sender";
pub const RECEIVER: &str = "role-receiver";

/// The other side may start.
const READY: &str = "ready";
pub const PLAY: &str = "play";
pub const MOVE_PICTURE: &str = "move";
pub const START_TCP: &str = "start-tcp";
pub const STOP_TCP: &str = "stop-tcp";

/// A file of our own.
pub fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A child, seen from the program that conducts.
pub struct Child {
    process: Process,
    orders: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

impl Child {
    /// Starts it and waits until it is ready. It goes before whatever else the machine has to do.
    pub fn start(network: &Network, place: Place, case: &Case, who: Who) -> Self {
        let role = if place == Place::Sender {
            SENDER
        } else {
            RECEIVER
        };
        let mut process = network
            .command(place, "nice")
            .args(["-n", "-15"])
            .arg(std::env::current_exe().unwrap())
            .args([role, case.name, who.name()])
            .env("GST_REGISTRY", scratch("network-registry.bin"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let orders = process.stdin.take();
        let mut child = Self {
            process,
            orders,
            said,
        };
        let mut line = String::new();
        child.said.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), READY, "{role} of {}", case.name);
        child
    }

    pub fn tell(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("not finished");
        writeln!(orders, "{order}").unwrap();
    }

    /// Lets it end, and takes what it noted.
    pub fn finish(mut self) -> Vec<Record> {
        self.orders = None;
        let mut said = String::new();
        self.said.read_to_string(&mut said).unwrap();
        assert!(self.process.wait().unwrap().success());
        said.lines().filter_map(|line| line.parse().ok()).collect()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts GStreamer, with our elements in this process.
pub fn init() {
    gst::init().unwrap();
    gstlivetune::plugin_register_static().unwrap();
}

/// Parses `line`; an error of the pipeline will end this program.
pub fn pipeline(line: &str) -> gst::Pipeline {
    let element = gst::parse::launch(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let pipeline: gst::Pipeline = element.downcast().unwrap();
    pipeline.bus().unwrap().set_sync_handler(|_, message| {
        if let gst::MessageView::Error(error) = message.view() {
            eprintln!("{}: {:?}", error.error(), error.debug());
            std::process::exit(1);
        }
        gst::BusSyncReply::Drop
    });
    pipeline
}

/// Says that all is ready, does what it is told until there are no more orders, then tells what `log` holds.
pub fn obey(pipeline: &gst::Pipeline, log: &Log, mut order: impl FnMut(&str)) {
    println!("{READY}");
    for line in std::io::stdin().lines() {
        order(&line.unwrap());
    }
    let records = log.take();
    pipeline.set_state(gst::State::Null).unwrap();
    let mut out = std::io::stdout().lock();
    for record in records {
        writeln!(out, "{record}").unwrap();
    }
}
