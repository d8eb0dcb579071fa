//! Reports: tables, JSON lines, HdrHistogram logs, snapshots.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gst::prelude::*;

use super::stat;
use crate::support::launch::{gst_launch, gstreamer};
use crate::support::pipeline::{LIMIT, Pipeline};
use crate::support::python;
use crate::support::wait::eventually;

/// A folder for what the test called `name` writes.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("output")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Live pictures past three taps, the second behind an element that takes 4 ms.
fn line(settings: &str) -> String {
    format!(
        "videotestsrc is-live=true num-buffers=40 ! video/x-raw,width=16,height=16,framerate=100/1 \
         ! latencytracer stage=capture ! identity sleep-time=4000 ! latencytracer stage=worked \
         ! queue ! latencytracer name=tap stage=shown {settings} ! fakesink"
    )
}

fn snapshot(tap: &gst::Element) -> gst::Structure {
    tap.emit_by_name("snapshot", &[])
}

fn inner(outer: &gst::StructureRef, name: &str) -> gst::Structure {
    outer
        .get(name)
        .unwrap_or_else(|error| panic!("{name}: {error}: {outer}"))
}

fn json(path: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(path).unwrap();
    let objects = text.lines().map(|line| serde_json::from_str(line).unwrap());
    objects.collect()
}

#[test]
fn a_table_at_the_end_lists_the_stages_in_stream_order() {
    let report = folder("table").join("report.txt");
    let settings = format!("report=eos report-location={}", report.display());
    let pipeline = Pipeline::parse(&line(&settings));
    pipeline.set_property("name", "camera");
    pipeline.run_to_eos();
    pipeline.set_state(gst::State::Null).unwrap();
    let text = fs::read_to_string(report).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("camera: capture -> shown, all "),
        "{text}"
    );
    let firsts: Vec<&str> = lines[2..]
        .iter()
        .filter_map(|line| line.split("  ").next())
        .collect();
    assert_eq!(
        firsts[..5],
        ["stage", "capture", "worked", "shown", "end to end"],
        "{text}"
    );
    let cells: Vec<&str> = lines[4].split_whitespace().collect();
    let share: f64 = cells[1].parse().unwrap();
    let p50: f64 = cells[2].parse().unwrap();
    assert!(share > 50.0 && (4.0..20.0).contains(&p50), "{text}");
    assert!(text.contains("\nbottleneck: worked, "), "{text}");
    assert_eq!(text.matches("end to end").count(), 1, "one report: {text}");
}

#[test]
fn standard_error_takes_the_report_of_an_unmodified_program() {
    let output = gst_launch(&line("report=eos").replace('"', ""));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("pipeline0: capture -> shown, all "), "{said}");
}

#[test]
fn json_lines_of_all_intervals_add_up_to_the_whole() {
    let report = folder("json").join("report.json");
    let place = report.display();
    let settings =
        format!("interval=100 report=interval report-format=json report-location={place}");
    let pipeline = Pipeline::parse(&line(&settings));
    pipeline.set_state(gst::State::Playing).unwrap();
    let message = pipeline.wait_for(gst::MessageType::Element);
    pipeline.wait_for(gst::MessageType::Eos);
    pipeline.set_state(gst::State::Null).unwrap();
    let objects = json(&report);
    let of = |kind: &str, stage: &str| {
        let wanted = objects
            .iter()
            .filter(|o| o["kind"] == kind && o["stage"] == stage);
        wanted.cloned().collect::<Vec<_>>()
    };
    for stage in ["capture", "worked", "shown"] {
        let counts = of("stage", stage);
        let counts: Vec<u64> = counts.iter().filter_map(|o| o["count"].as_u64()).collect();
        assert!(counts.len() >= 4, "{counts:?}");
        assert_eq!(counts.iter().sum::<u64>(), 40, "{stage}");
    }
    let ends = of("end", "shown");
    let times: Vec<u64> = ends.iter().filter_map(|o| o["time"].as_u64()).collect();
    assert!(
        times.is_sorted() && times[0] > 1_700_000_000_000_000_000,
        "{times:?}"
    );
    assert_eq!(ends[1]["path"], "capture -> shown");
    let busy = of("stage", "worked")
        .into_iter()
        .find(|o| o["count"].as_u64() > Some(5))
        .unwrap();
    let p50 = busy["transit-p50"].as_u64().unwrap();
    assert!((4_000_000..20_000_000).contains(&p50), "{busy}");
    assert!(busy["share"].as_f64().unwrap() > 0.5, "{busy}");
    for field in message.structure().unwrap().fields() {
        let limit = ["sla", "violations", "violation-ratio"].contains(&field.as_str());
        assert!(
            limit || busy.get(field.as_str()).is_some(),
            "{field} of {busy}"
        );
    }
}

#[test]
fn a_pipeline_that_is_stopped_reports_what_it_had() {
    let report = folder("stopped").join("report.txt");
    let settings = format!("report=eos report-location={}", report.display());
    let pipeline = Pipeline::parse(&line(&settings).replace("num-buffers=40", ""));
    pipeline.play();
    let tap = pipeline.element("tap");
    eventually("frames", LIMIT, || stat(&tap, "count") > 5);
    pipeline.set_state(gst::State::Null).unwrap();
    let text = fs::read_to_string(report).unwrap();
    assert!(text.contains("capture -> shown, all "), "{text}");
}

#[test]
fn the_public_python_package_reads_the_log() {
    let Some(python) = python::with_hdrhistogram() else {
        return;
    };
    let log = folder("hlog").join("run.hlog");
    let settings = format!("interval=100 log-location={}", log.display());
    let pipeline = Pipeline::parse(&line(&settings));
    pipeline.set_property("name", "a, camera");
    pipeline.run_to_eos();
    pipeline.set_state(gst::State::Null).unwrap();
    let code = "
import sys
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
total = {}
reader = HistogramLogReader(sys.argv[1], HdrHistogram(1, 1 << 36, 3))
while (interval := reader.get_next_interval_histogram()) is not None:
    length = interval.get_end_time_stamp() - interval.get_start_time_stamp()
    assert 0 < length < 30000, length
    assert interval.get_start_time_stamp() > 1.7e12
    sum = total.setdefault(interval.get_tag(), [HdrHistogram(1, 1 << 36, 3), 0])
    sum[0].add(interval)
    sum[1] += 1
for tag, (sum, intervals) in total.items():
    print(tag, sum.get_total_count(), intervals, sum.get_value_at_percentile(50))
";
    let output = Command::new(python)
        .args(["-c", code])
        .arg(&log)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |tag: &str| {
        let mut lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let found = lines.find(|line| line[0] == tag);
        let found = found.unwrap_or_else(|| panic!("{tag} is not in {text}"));
        [1, 2, 3].map(|n| found[n].parse::<f64>().unwrap() as u64)
    };
    let [count, intervals, p50] = line("a--camera.worked.transit");
    assert!(count == 40 && intervals >= 4, "{text}");
    assert!((4_000_000..20_000_000).contains(&p50), "{text}");
    for tag in [
        "capture.age",
        "shown.transit",
        "capture-to-shown.transit",
        "capture-to-shown.age",
    ] {
        assert_eq!(line(&format!("a--camera.{tag}"))[0], 40, "{text}");
    }
}

#[test]
fn a_snapshot_is_a_tree_of_structures_in_stream_order() {
    let pipeline = Pipeline::parse(&line(""));
    pipeline.set_property("name", "camera");
    let tap = pipeline.element("tap");
    assert_eq!(snapshot(&tap).n_fields(), 0, "nothing runs");
    pipeline.run_to_eos();
    let whole = snapshot(&tap);
    assert_eq!(whole.name(), "livetune-snapshot");
    let path = inner(&inner(&whole, "camera"), "shown");
    assert_eq!(
        (path.get("source"), path.get("count")),
        (Ok("capture"), Ok(40_u64))
    );
    assert_eq!(path.get("bottleneck"), Ok("worked"));
    let stages = inner(&path, "stages");
    let names: Vec<String> = stages.fields().map(ToString::to_string).collect();
    assert_eq!(names, ["capture", "worked", "shown"]);
    let of = |stage: &str, field: &str| inner(&stages, stage).get::<u64>(field).unwrap();
    assert_eq!(
        of("capture", "transit-max"),
        0,
        "the first tap has none before it"
    );
    assert!(of("worked", "transit-p50") >= 4_000_000);
    let shares = names
        .iter()
        .map(|name| inner(&stages, name).get::<f64>("share").unwrap());
    assert!((shares.sum::<f64>() - 1.0).abs() < 1e-9);
    let whole = path.get::<u64>("transit-mean").unwrap() as i64;
    let parts = (of("worked", "transit-mean") + of("shown", "transit-mean")) as i64;
    let remainder = path.get::<i64>("remainder").unwrap();
    assert_eq!(whole - parts, remainder);
    assert!(remainder.abs() <= whole / 100, "{path}");
    let early = snapshot(&inner_tap(&pipeline, "worked"));
    assert!(inner(&early, "camera").has_field("worked"), "{early}");
}

/// The tap of the `stage`.
fn inner_tap(pipeline: &gst::Pipeline, stage: &str) -> gst::Element {
    let taps = pipeline.children().into_iter();
    let mut taps = taps.filter(|element| element.has_property("stage"));
    taps.find(|tap| tap.property::<Option<String>>("stage").as_deref() == Some(stage))
        .unwrap()
}

#[test]
fn plain_python_reads_a_snapshot() {
    let code = format!(
        "
import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst
Gst.init(None)
pipeline = Gst.parse_launch('{}')
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
assert message.type == Gst.MessageType.EOS
whole = pipeline.get_by_name('tap').emit('snapshot')
for pipe in map(whole.nth_field_name, range(whole.n_fields())):
    paths = whole.get_value(pipe)
    for sink in map(paths.nth_field_name, range(paths.n_fields())):
        stages = paths.get_value(sink).get_value('stages')
        for name in map(stages.nth_field_name, range(stages.n_fields())):
            stage = stages.get_value(name)
            print(pipe, sink, name, stage.get_value('count'), stage.get_value('p95') > 0)
pipeline.set_state(Gst.State.NULL)
",
        line("")
    );
    let output = gstreamer(python::SYSTEM)
        .args(["-c", &code])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = ["capture", "worked", "shown"].map(|s| format!("pipeline0 shown {s} 40 True"));
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn ways_that_meet_are_paths_of_their_own() {
    let source = |name: &str| {
        format!("videotestsrc is-live=true num-buffers=20 ! latencytracer stage={name} ! f. ")
    };
    let line = format!(
        "{}{}funnel name=f ! latencytracer name=tap stage=met ! fakesink",
        source("one"),
        source("two")
    );
    let pipeline = Pipeline::parse(&line);
    pipeline.set_property("name", "both");
    pipeline.run_to_eos();
    let paths = inner(&snapshot(&pipeline.element("tap")), "both");
    let mut sources: Vec<String> = paths
        .fields()
        .map(|name| inner(&paths, name).get("source").unwrap())
        .collect();
    sources.sort();
    assert_eq!(sources, ["one", "two"]);
}

#[test]
fn reset_forgets_all_figures_and_measuring_goes_on() {
    let pipeline = Pipeline::parse(&line("sla=1").replace("num-buffers=40", ""));
    pipeline.play();
    let tap = pipeline.element("tap");
    eventually("frames", LIMIT, || stat(&tap, "violations") > 20);
    let count = stat(&tap, "count");
    tap.emit_by_name::<()>("reset", &[]);
    assert!(stat(&tap, "count") < count / 2);
    assert!(stat(&tap, "violations") < count / 2);
    eventually("frames", LIMIT, || stat(&tap, "count") > 5);
    pipeline.set_state(gst::State::Null).unwrap();
    tap.emit_by_name::<()>("reset", &[]);
}

#[test]
fn what_cannot_be_written_is_one_warning_and_measuring_goes_on() {
    let missing = folder("unwritable").join("missing");
    let (report, log) = (missing.join("report"), missing.join("log"));
    let settings = format!(
        "interval=20 report=interval report-location={} log-location={}",
        report.display(),
        log.display()
    );
    let pipeline = Pipeline::parse(&line(&settings).replace("num-buffers=40", ""));
    pipeline.play();
    let tap = pipeline.element("tap");
    eventually("errors", LIMIT, || stat(&tap, "write-errors") > 6);
    fs::create_dir(&missing).unwrap();
    eventually("a report", LIMIT, || report.exists() && log.exists());
    let bus = pipeline.bus().unwrap();
    let warnings: Vec<String> = bus
        .iter_filtered(&[gst::MessageType::Warning])
        .filter_map(|message| match message.view() {
            gst::MessageView::Warning(warning) => Some(warning.error().to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    let property = |name: &str| warnings.iter().any(|warning| warning.contains(name));
    assert!(
        property("report-location") && property("log-location"),
        "{warnings:#?}"
    );
    assert!(stat(&tap, "count") > 0);
}

#[test]
fn a_pipeline_with_reports_starts_and_stops_at_any_time() {
    let folder = folder("restarts");
    let settings = format!(
        "interval=1 report=interval report-format=json report-location={0}/report log-location={0}/log",
        folder.display()
    );
    let pipeline = Pipeline::parse(&line(&settings));
    for state in [gst::State::Playing, gst::State::Paused, gst::State::Ready]
        .iter()
        .cycle()
        .take(30)
    {
        pipeline.set_state(*state).unwrap();
        pipeline.set_state(gst::State::Null).unwrap();
    }
    pipeline.run_to_eos();
    let tap = pipeline.element("tap");
    pipeline.set_state(gst::State::Null).unwrap();
    let objects = json(&folder.join("report"));
    let ends = objects.iter().filter(|object| object["kind"] == "end");
    let counts = ends.filter_map(|end| end["count"].as_u64());
    assert_eq!(counts.sum::<u64>(), 40, "each start makes the report anew");
    assert_eq!(stat(&tap, "write-errors"), 0);
}
