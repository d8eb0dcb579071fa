//! Programs that know nothing of livetune, measured by one variable of the environment.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::support::launch::{gst_launch, gstreamer};
use crate::support::media::shared;
use crate::support::python::SYSTEM;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);
const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/latencytracer");

/// `program` under the tracer livetune.
fn traced(program: &str, parameters: &str) -> Command {
    let mut command = gstreamer(program);
    command.env("GST_TRACERS", format!("livetune({parameters})"));
    command
}

/// The text that a program wrote to stderr; fails where the program did.
fn report(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// The share, then p50, p95, p99 and maximum of the transit in ms, of the first row whose stage has `name` in its name.
fn row(report: &str, name: &str) -> Option<Vec<f64>> {
    report.lines().find_map(|line| {
        let (stage, figures) = line.trim().split_once(' ')?;
        let numbers = figures
            .split_whitespace()
            .map_while(|cell| cell.parse().ok());
        let numbers: Vec<f64> = numbers.collect();
        (stage.contains(name) && numbers.len() >= 5).then_some(numbers)
    })
}

#[test]
fn gst_launch_reports_each_element() {
    let line = "-q videotestsrc is-live=true num-buffers=45 ! video/x-raw,framerate=30/1 \
                ! identity name=slow sleep-time=15000 ! queue name=short ! fakesink name=end";
    let mut launch = traced("gst-launch-1.0", "");
    let said = report(&launch.args(line.split_whitespace()).output().unwrap());
    let slow = row(&said, "slow").unwrap_or_else(|| panic!("no row: {said}"));
    assert!((15.0..100.0).contains(&slow[1]), "p50 of 15 ms: {said}");
    assert!(slow[0] > 50.0, "most of the time is there: {said}");
    assert!(slow[1] <= slow[2] && slow[2] <= slow[3], "{said}");
    assert!(row(&said, "short").is_some(), "{said}");
    assert!(said.contains("bottleneck: slow"), "{said}");
}

#[test]
fn gst_play_reports_its_decoder() {
    let video = shared("media/bottle-detection.mp4").unwrap_or_else(made_video);
    let mut play = traced("gst-play-1.0", "");
    play.args([
        "--no-interactive",
        "--videosink=fakesink",
        "--audiosink=fakesink",
    ]);
    let said = report(&play.arg(video).output().unwrap());
    let decoder = row(&said, "avdec_h264").unwrap_or_else(|| panic!("no decoder: {said}"));
    assert!(decoder[1] > 0.0 && decoder[1] <= decoder[3], "{said}");
}

fn made_video() -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("played.mp4");
    let line = "videotestsrc num-buffers=60 ! video/x-raw,width=320,height=240 \
                ! x264enc tune=zerolatency ! h264parse ! qtmux ! filesink location=";
    let made = gst_launch(&format!("{line}{}", file.display()));
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    file
}

#[test]
fn an_rtsp_server_reports_its_encoder() {
    let mut command = traced(SYSTEM, "interval=1000,report=interval");
    command.arg(format!("{HERE}/rtsp_server.py"));
    let mut server = Running::start(&mut command);
    let port = server.first_line();
    let line = format!(
        "rtspsrc location=rtsp://127.0.0.1:{port}/camera latency=0 ! rtph264depay \
         ! identity eos-after=60 ! fakesink"
    );
    let client = gst_launch(&line);
    let complaint = String::from_utf8_lossy(&client.stderr);
    assert!(client.status.success(), "{complaint}");
    let mut said = String::new();
    eventually("the report of the server's encoder", LIMIT, || {
        server.complaints.try_iter().for_each(|line| said += &line);
        row(&said, "encoder").is_some_and(|encoder| encoder[1] > 0.0)
    });
}

/// A program that is killed when the test ends.
struct Running {
    child: Child,
    /// The lines of its stderr.
    complaints: mpsc::Receiver<String>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stderr.take().unwrap());
        let (send, complaints) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = send.send(line + "\n");
            }
        });
        Self { child, complaints }
    }

    fn first_line(&mut self) -> String {
        let output = self.child.stdout.take().unwrap();
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_short_python_program_reads_live_percentiles() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/live_percentiles.py");
    let line = "videotestsrc is-live=true num-buffers=90 ! video/x-raw,framerate=30/1 \
                ! identity name=slow sleep-time=15000 ! fakesink name=end";
    let mut python = gstreamer(SYSTEM);
    let output = python.arg(program).args(line.split_whitespace()).output();
    let output = output.unwrap();
    report(&output);
    let said = String::from_utf8_lossy(&output.stdout);
    for stage in ["slow", "-> end"] {
        let mut rows = said.lines().rev().filter(|line| line.starts_with(stage));
        let last = rows.next().unwrap_or_else(|| panic!("no {stage}: {said}"));
        let numbers = last.split_whitespace().filter_map(|word| word.parse().ok());
        let numbers: Vec<f64> = numbers.collect();
        assert!((15.0..100.0).contains(&numbers[0]), "{stage}: {said}");
        assert!(numbers.is_sorted() && numbers.len() == 3, "{stage}: {said}");
    }
}

/// Runs so many pipelines under a tracer that reports at `report`: nothing of them may stay.
fn pipelines_leave_nothing_behind(number: u32, report: &str) {
    /// What the allocator keeps, in kB; it was 50 kB for each pipeline that played.
    const MOST_GROWTH: i64 = 2_000;
    let mut python = traced(SYSTEM, &format!("interval=500,report={report}"));
    python.arg(format!("{HERE}/many_pipelines.py"));
    let output = python.arg(number.to_string()).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let said = String::from_utf8_lossy(&output.stdout);
    let number = |name| {
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        number
            .unwrap_or_else(|| panic!("no {name}: {said}"))
            .parse()
    };
    assert_eq!(number("known"), Ok(0), "{said}");
    assert!(number("grown").unwrap() < MOST_GROWTH, "{said}");
}

#[test]
fn a_hundred_thousand_pipelines_leave_nothing_behind() {
    pipelines_leave_nothing_behind(100_000, "none");
}

#[test]
fn pipelines_that_were_reported_leave_nothing_behind() {
    pipelines_leave_nothing_behind(20_000, "eos");
    pipelines_leave_nothing_behind(20_000, "interval");
}
