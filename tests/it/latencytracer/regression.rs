//! Latencies against a baseline: recorded, saved, read, and told when they are worse.

use std::fs;
use std::path::PathBuf;

use super::stat;
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

const CAMERA: &str = "videotestsrc is-live=true \
                      ! video/x-raw,framerate=50/1,format=GRAY8,width=16,height=16";

/// A file of its own for each test, not there yet.
fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    path
}

/// The text of a baseline of 20 s whose frames take `micros`.
fn baseline(micros: u64) -> String {
    let blocks: Vec<String> = (0..20)
        .map(|n| {
            format!(
                "[{},{}]",
                (micros + n % 3) * 1_000,
                (micros + 90 + n % 5) * 1_000
            )
        })
        .collect();
    let blocks = blocks.join(",");
    format!(r#"{{"livetune-baseline":1,"block":1000000000,"blocks":[{blocks}]}}"#)
}

#[test]
fn frames_that_take_longer_than_the_recorded_baseline_are_a_regression() {
    let path = file("fast.json");
    fs::write(&path, baseline(500)).unwrap();
    let path = path.display();
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer post-messages=false ! queue min-threshold-time=60000000 \
         ! latencytracer name=tap stage=behind baseline-location={path} sla-on=transit interval=0 ! fakesink"
    ));
    pipeline.play();
    let change = pipeline.wait_for_element_message("livetune-regression");
    assert_eq!(change.get("state"), Ok("regressed"), "{change}");
    assert_eq!(change.get("stage"), Ok("behind"));
    let time = |field| change.get::<u64>(field).unwrap();
    assert!(time("value") > 30_000_000, "{change}");
    assert!(time("baseline") < 1_000_000, "{change}");
    assert!(change.get::<i64>("shift").unwrap() > 30_000_000, "{change}");
    assert!(change.get::<f64>("p-value").unwrap() < 0.001, "{change}");
    assert!(change.get::<&str>("statistic").is_ok(), "{change}");
    assert_eq!(stat(&pipeline.element("tap"), "regressed"), 1);
}

#[test]
fn a_baseline_is_recorded_and_what_cannot_be_written_stops_nothing() {
    let path = file("recorded.json");
    let nowhere = file("no-such-folder").join("baseline.json");
    let pipeline = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=tap baseline=10000 baseline-location={} post-messages=false \
         ! latencytracer name=lost baseline=10000 baseline-location={} post-messages=false ! fakesink",
        path.display(),
        nowhere.display(),
    ));
    pipeline.play();
    let warning = pipeline.wait_for(gst::MessageType::Warning);
    let gst::MessageView::Warning(warning) = warning.view() else {
        unreachable!("waited for a warning");
    };
    let text = warning.error().to_string();
    assert!(text.contains("Cannot write the baseline"), "{text}");
    eventually("the baseline's file", LIMIT, || path.exists());
    let tap = pipeline.element("lost");
    let before = stat(&tap, "count");
    eventually("more frames", LIMIT, || stat(&tap, "count") > before + 10);
    drop(pipeline);
    let path = path.display();
    let again = Pipeline::parse(&format!(
        "{CAMERA} ! latencytracer name=tap baseline-location={path} ! fakesink"
    ));
    again.play();
    assert_eq!(stats(&again.element("tap")).get("regressed"), Ok(0_u64));
}

#[test]
fn a_baseline_that_cannot_work_is_refused_with_the_reason() {
    let broken = file("broken.json");
    fs::write(&broken, "not a baseline").unwrap();
    for (settings, reason) in [
        (
            format!("baseline-location={}", broken.display()),
            "is no baseline",
        ),
        ("baseline-location=/no/such/file".to_owned(), "set baseline"),
        ("baseline=9000".to_owned(), "10 to 600 blocks"),
    ] {
        let pipeline = Pipeline::parse(&format!("{CAMERA} ! latencytracer {settings} ! fakesink"));
        let error = pipeline.error_on_the_way_to(gst::State::Playing);
        assert!(error.contains(reason), "{settings}: {error}");
    }
}
