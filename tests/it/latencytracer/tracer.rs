//! The tracer `livetune` in programs that know nothing of it.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::launch::gstreamer;

const CAMERA: &str = "videotestsrc is-live=true num-buffers=45 \
                      ! video/x-raw,format=I420,width=160,height=120,framerate=30/1";

/// What a tracer said of one stage, or of the end of a path.
struct Line(Value);

impl Line {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    fn number(&self, field: &str) -> i64 {
        let number = self.0[field].as_i64();
        number.unwrap_or_else(|| panic!("no {field} in {}", self.0))
    }

    fn millis(&self, field: &str) -> f64 {
        self.number(field) as f64 / 1e6
    }
}

/// A report in JSON lines.
struct Report(Vec<Line>);

impl Report {
    fn of(output: &Output) -> Self {
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        let lines = text.lines().filter(|line| line.starts_with('{'));
        Self(
            lines
                .map(|line| Line(serde_json::from_str(line).unwrap()))
                .collect(),
        )
    }

    /// Paths in the order of their report.
    fn paths(&self) -> Vec<&str> {
        let ends = self.0.iter().filter(|line| line.text("kind") == "end");
        ends.map(|line| line.text("path")).collect()
    }

    /// Names of the stages of the path to `sink`, in stream order.
    fn stages(&self, sink: &str) -> Vec<&str> {
        let stages = self.on_path(sink).filter(|line| line.text("kind") != "end");
        stages.map(|line| line.text("stage")).collect()
    }

    fn stage(&self, sink: &str, stage: &str) -> &Line {
        let mut lines = self.on_path(sink).filter(|line| line.text("kind") != "end");
        let found = lines.find(|line| line.text("stage") == stage);
        found.unwrap_or_else(|| panic!("no {stage} on the way to {sink}"))
    }

    fn end(&self, sink: &str) -> &Line {
        let mut lines = self.on_path(sink);
        let found = lines.find(|line| line.text("kind") == "end");
        found.unwrap_or_else(|| panic!("no way to {sink}: {:?}", self.paths()))
    }

    fn on_path<'a>(&'a self, sink: &str) -> impl Iterator<Item = &'a Line> {
        let end = format!("-> {sink}");
        self.0
            .iter()
            .filter(move |line| line.text("path").ends_with(&end))
    }

    /// The stages' mean transits come to the mean of the way.
    fn assert_adds_up(&self, sink: &str) {
        let stages = self.on_path(sink).filter(|line| line.text("kind") != "end");
        let sum: f64 = stages.map(|line| line.millis("transit-mean")).sum();
        let whole = self.end(sink).millis("transit-mean");
        let rest = (whole - sum).abs();
        assert!(
            rest <= (whole * 0.01).max(0.1),
            "{sum} of {whole} ms to {sink}"
        );
    }
}

fn traced(line: &str, params: &str) -> Command {
    let mut command = gstreamer("gst-launch-1.0");
    command
        .arg("-q")
        .args(line.split_whitespace())
        .env("GST_TRACERS", format!("livetune({params})"));
    command
}

fn run(line: &str) -> Report {
    Report::of(&traced(line, "report-format=json").output().unwrap())
}

fn stderr(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn frames_older_than_the_latency_of_the_pipeline_are_late_where_they_became_so() {
    let report = run(&format!(
        "{CAMERA} ! queue name=q ! identity name=slow sleep-time=100000 ! fakesink name=end sync=true qos=false"
    ));
    let late = ["capsfilter0", "slow"].map(|stage| report.stage("end", stage).number("late"));
    assert!(late[0] == 0 && late[1] >= 43, "{late:?}");
    assert!(report.end("end").number("late") >= 43);
}

#[test]
fn an_encoder_that_reorders_is_measured_frame_by_frame_and_the_stages_add_up() {
    let report = run(&format!(
        "{CAMERA} ! queue ! x264enc bframes=3 b-adapt=false rc-lookahead=5 speed-preset=ultrafast key-int-max=30 \
         ! h264parse ! avdec_h264 name=decoder ! fakesink name=end"
    ));
    let stages = [
        "videotestsrc0",
        "capsfilter0",
        "queue0",
        "x264enc0",
        "h264parse0",
        "decoder",
    ];
    assert_eq!(report.stages("end"), stages);
    for stage in stages {
        let line = report.stage("end", stage);
        assert_eq!(
            (line.number("count"), line.number("lost")),
            (45, 0),
            "{stage}"
        );
        assert_eq!(line.number("inferred"), 0, "{stage}");
    }
    // Five frames of lookahead and three of reordering.
    assert!(report.stage("end", "x264enc0").millis("transit-p50") > 150.0);
    report.assert_adds_up("end");
    let end = report.end("end");
    assert_eq!(end.number("count"), 45);
    assert_eq!(end.text("bottleneck"), "x264enc0");
}

#[test]
fn branches_are_apart_and_a_queue_names_what_it_waits_for() {
    let report = run(&format!(
        "{CAMERA} ! tee name=t t. ! queue ! fakesink name=quick \
         t. ! queue name=waiting max-size-buffers=4 leaky=downstream ! identity name=slow sleep-time=60000 \
         ! fakesink name=late"
    ));
    assert_eq!(report.paths().len(), 2);
    let [quick, late] = ["quick", "late"].map(|sink| report.end(sink));
    assert_eq!((quick.number("count"), quick.number("lost")), (45, 0));
    assert!(late.millis("p50") > quick.millis("p50") + 50.0);
    let waiting = report.stage("late", "waiting");
    assert_eq!(waiting.text("kind"), "queue");
    let (came, lost) = (waiting.number("count"), waiting.number("lost"));
    assert!(lost > 10, "{lost} frames lost in the queue");
    assert_eq!(
        came + lost,
        45,
        "what does not leave the queue is lost there"
    );
    let slow = report.stage("late", "slow");
    assert!((58.0..90.0).contains(&slow.millis("transit-p50")));
    assert_eq!(
        late.text("bottleneck"),
        "slow",
        "{}",
        late.text("bottleneck-reason")
    );
    report.assert_adds_up("quick");
    report.assert_adds_up("late");
}

#[test]
fn frames_are_known_again_behind_elements_that_lose_metas() {
    for (mixer, name) in [
        ("compositor name=m", "m"),
        (
            "x264enc tune=zerolatency speed-preset=ultrafast ! mpegtsmux name=m",
            "m",
        ),
        (
            "x264enc tune=zerolatency speed-preset=ultrafast ! h264parse ! flvmux streamable=true name=m",
            "m",
        ),
    ] {
        let report = run(&format!(
            "{CAMERA} ! queue min-threshold-time=100000000 ! {mixer} ! fakesink name=end"
        ));
        let line = report.stage("end", name);
        assert!(line.number("inferred") > 40, "{mixer}: {}", line.0);
        assert_eq!(report.stage("end", "queue0").number("inferred"), 0);
        // The queue's waiting is not forgotten.
        let age = report.end("end").millis("p50");
        assert!((60.0..500.0).contains(&age), "{mixer}: {age} ms");
    }
}

#[test]
fn doubled_frames_are_counted_where_they_are_made() {
    let report = run(&format!(
        "{CAMERA} ! videorate name=rate ! video/x-raw,framerate=60/1 ! fakesink name=end"
    ));
    let rate = report.stage("end", "rate");
    assert!(rate.number("duplicated") > 35, "{}", rate.0);
    assert_eq!(report.stage("end", "capsfilter0").number("duplicated"), 0);
}

#[test]
fn packets_of_a_frame_count_once_and_elements_in_bins_are_stages() {
    let report = run(&format!(
        "{CAMERA} ! ( queue ! jpegenc name=inner ) ! rtpjpegpay mtu=200 name=pay ! rtpjpegdepay ! decodebin \
         ! fakesink name=end"
    ));
    let pay = report.stage("end", "pay");
    assert_eq!(pay.number("count"), 45);
    assert!(pay.number("buffers") > 400);
    let end = report.end("end");
    assert_eq!((end.number("count"), end.number("unstamped")), (45, 0));
    assert!(
        report.stages("end").contains(&"jpegdec0"),
        "{:?}",
        report.stages("end")
    );
    assert!(report.stages("end").contains(&"inner"));
    report.assert_adds_up("end");
}

#[test]
fn a_file_that_is_demuxed_by_pulling_begins_at_the_demuxer() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let file = format!("{folder}/pulled-{}.mkv", std::process::id());
    let line = format!("{CAMERA} ! jpegenc ! matroskamux ! filesink location={file}");
    assert!(
        gstreamer("gst-launch-1.0")
            .arg("-q")
            .args(line.split_whitespace())
            .status()
            .unwrap()
            .success()
    );
    let report = run(&format!(
        "filesrc location={file} ! matroskademux ! jpegdec ! fakesink name=end"
    ));
    std::fs::remove_file(file).unwrap();
    assert_eq!(report.stages("end"), ["matroskademux0", "jpegdec0"]);
    assert_eq!(report.end("end").number("count"), 45);
}

#[test]
fn without_clock_or_pts_frames_are_measured_and_counted_as_unstamped() {
    let report = run(
        "fakesrc num-buffers=200 sizetype=fixed sizemax=64 ! identity name=i ! fakesink name=end",
    );
    let source = report.stage("end", "fakesrc0");
    assert_eq!(
        (source.number("count"), source.number("unstamped")),
        (200, 200)
    );
    assert_eq!(report.end("end").number("count"), 200);
    report.assert_adds_up("end");
}

#[test]
fn a_table_is_what_a_person_sees_first() {
    let text = stderr(
        &traced(&format!("{CAMERA} ! identity ! fakesink"), "")
            .output()
            .unwrap(),
    );
    assert!(
        text.contains("pipeline0: videotestsrc0 -> fakesink0"),
        "{text}"
    );
    assert!(text.contains("bottleneck: "), "{text}");
    assert_eq!(text.matches("end to end").count(), 1, "said twice: {text}");
}

#[test]
fn intervals_are_reported_while_it_runs() {
    let line = format!("{CAMERA} ! identity ! fakesink name=end");
    let output = traced(&line, "report=interval,interval=400,report-format=json")
        .output()
        .unwrap();
    let report = Report::of(&output);
    let ends: Vec<i64> = report
        .0
        .iter()
        .filter(|line| line.text("kind") == "end")
        .map(|line| line.number("count"))
        .collect();
    assert!(ends.len() >= 3, "{ends:?}");
    assert_eq!(
        ends.iter().sum::<i64>(),
        45,
        "each frame in one interval: {ends:?}"
    );
}

#[test]
fn what_cannot_be_taken_is_named_and_the_rest_holds() {
    let line = format!("{CAMERA} ! fakesink name=end");
    let output = traced(&line, "colour=red,interval=soon,report-format=json")
        .output()
        .unwrap();
    let text = stderr(&output);
    assert!(text.contains("\"colour=red\": no such parameter"), "{text}");
    assert!(
        text.contains("\"interval=soon\": write milliseconds"),
        "{text}"
    );
    assert_eq!(Report::of(&output).end("end").number("count"), 45);
}

#[test]
fn nothing_is_hooked_where_it_is_switched_off_and_others_where_the_filter_says_so() {
    let line = format!("{CAMERA} ! fakesink");
    for params in ["enabled=false", "report=none", "filter=other*"] {
        let text = stderr(&traced(&line, params).output().unwrap());
        assert!(!text.contains("fakesink0"), "{params}: {text}");
    }
    let text = stderr(&traced(&line, "filter=pipe*").output().unwrap());
    assert!(text.contains("fakesink0"), "{text}");
}

#[test]
fn a_file_that_cannot_be_written_is_named_and_the_program_goes_on() {
    let line = format!("{CAMERA} ! fakesink");
    let params = "report-location=/nowhere/report.txt,log-location=/nowhere/run.hlog";
    let text = stderr(&traced(&line, params).output().unwrap());
    assert!(
        text.contains("Cannot write to /nowhere/report.txt"),
        "{text}"
    );
    assert!(text.contains("Cannot write to /nowhere/run.hlog"), "{text}");
}

#[test]
fn reports_and_logs_are_written_to_files() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let [report, log] =
        ["txt", "hlog"].map(|kind| format!("{folder}/tracer-{}.{kind}", std::process::id()));
    let params = format!("report-location={report},log-location=\"{log}\"");
    let output = traced(&format!("{CAMERA} ! fakesink"), &params)
        .output()
        .unwrap();
    let shown = stderr(&output);
    assert!(!shown.contains("fakesink0"), "{shown}");
    let text = std::fs::read_to_string(&report).unwrap();
    assert!(text.contains("videotestsrc0 -> fakesink0"), "{text}");
    assert!(std::fs::read_to_string(&log).unwrap().contains("Tag="));
    for file in [report, log] {
        std::fs::remove_file(file).unwrap();
    }
}
