//! The README's own lines, run as they stand there.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::support::launch::gstreamer;
use crate::support::wait::eventually;

const README: &str = include_str!("../../README.md");
const LIMIT: Duration = Duration::from_secs(60);

/// The shell blocks of the README that call gst-launch-1.0.
fn launch_blocks() -> Vec<String> {
    README
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.contains("gst-launch-1.0"))
        .map(str::to_owned)
        .collect()
}

/// The block whose first line is the comment `# {title}`.
fn block(title: &str) -> String {
    let heading = format!("# {title}\n");
    let found = launch_blocks()
        .into_iter()
        .find(|block| block.starts_with(&heading));
    found.unwrap_or_else(|| panic!("the README has no block {heading}"))
}

/// The command of a block, alone in its process.
fn shell(block: &str) -> Command {
    let command = block.trim_start_matches(|c| c != '\n').trim_start();
    let mut shell = gstreamer("sh");
    shell.arg("-c").arg(format!("exec {command}"));
    shell
}

#[test]
fn the_line_of_each_element_runs_to_its_end() {
    for (name, _) in gstlivetune::ELEMENTS {
        let output = shell(&block(name)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}");
        assert!(
            block(name).contains(name),
            "the line of {name} does not use it"
        );
    }
}

#[test]
fn objects_come_out_as_lines_of_json_with_ids_that_last() {
    let output = shell(&block("objects as JSON")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(said.lines().count(), 60);
    assert_eq!(last["objects"][0]["detection"]["label"], "ball");
    assert_eq!(last["objects"][0]["id"], 1);
}

#[test]
fn every_element_and_the_bottleneck_are_reported_by_one_tap_and_by_the_tracer() {
    for title in ["every element", "tracer"] {
        let line = block(title).replace("GST_TRACERS", "env GST_TRACERS");
        let output = shell(&line).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{title}: {said}");
        for word in [
            "x264enc0",
            "queue0",
            "avdec_h264-0",
            "end to end",
            "bottleneck",
        ] {
            assert!(said.contains(word), "{title}: {word} is missing: {said}");
        }
    }
}

#[test]
fn sender_and_receiver_deliver_pictures_whose_latency_is_known() {
    let receiver = Running::start(&block("receiver"));
    let sender = Running::start(&block("sender"));
    receiver.wait_for("livetune-latency", "stage=(string)displayed");
    receiver.wait_for_frames_from_the_network();
    sender.wait_for("livetune-latency", "stage=(string)encoded");
    sender.wait_for("livetune-bitrate", "bitrate=(uint)");
}

#[test]
fn over_srt_the_latency_is_known_too() {
    let receiver = Running::start(&block("SRT receiver"));
    let _sender = Running::start(&block("SRT sender"));
    receiver.wait_for("livetune-latency", "stage=(string)displayed");
    receiver.wait_for_frames_from_the_network();
}

/// A process that is killed when the test ends, and what it prints.
struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    said: RefCell<Vec<String>>,
}

impl Running {
    fn start(block: &str) -> Self {
        let mut child = shell(block).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        Self {
            child,
            lines,
            said: RefCell::default(),
        }
    }

    /// Waits for a line with `message` and `field`; it may have been said before.
    fn wait_for(&self, message: &str, field: &str) {
        let what = format!("{message} with {field}");
        self.wait_for_line(&what, |line| line.contains(message) && line.contains(field));
    }

    fn wait_for_frames_from_the_network(&self) {
        self.wait_for_line("frames from the network", |line| {
            line.contains(", network=(guint64)") && !line.contains(", network=(guint64)0")
        });
    }

    fn wait_for_line(&self, what: &str, is_it: impl Fn(&str) -> bool) {
        let mut said = self.said.borrow_mut();
        eventually(what, LIMIT, || {
            said.extend(self.lines.try_iter());
            said.iter().any(|line| is_it(line))
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
