//! The demonstration, run as a program: on the test picture and on real cameras.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::launch::gst_launch;
use crate::support::media::shared;

fn demo(arguments: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    let program = target.join("examples/camera_to_network");
    assert!(
        program.exists(),
        "cargo build --examples first: no {}",
        program.display()
    );
    Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap()
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// The first number of the line of the final table that starts with `name`.
fn figure(output: &str, name: &str) -> f64 {
    let line = output.lines().rfind(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {output}"));
    let number = line.split_whitespace().find_map(|word| word.parse().ok());
    number.unwrap_or_else(|| panic!("no number in {line}"))
}

#[test]
fn a_live_source_goes_through_all_elements_and_arrives() {
    let (picture, metrics) = (scratch("demo.png"), scratch("demo.metrics"));
    let arguments = ["--duration", "6", "--port", "5304", "--snapshot"];
    let rest = [
        picture.to_str().unwrap(),
        "--metrics",
        metrics.to_str().unwrap(),
    ];
    let output = demo(&[&arguments[..], &rest].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    for stage in ["capture", "encoded", "displayed"] {
        assert!(figure(&said, stage) > 30.0, "few frames at {stage}: {said}");
    }
    assert!(
        figure(&said, "objects") > 30.0,
        "the ball was not seen: {said}"
    );
    assert!(said.contains("gst-launch-1.0 rtpbin"), "{said}");
    let png = std::fs::read(picture).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let metrics = std::fs::read_to_string(metrics).unwrap();
    for (name, _) in gstlivetune::ELEMENTS {
        assert!(metrics.contains(&format!("livetune_{name}_")), "{metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"));
    histograms_end_at_infinity(&metrics);
}

/// OpenMetrics 1.0: the last bucket of a histogram has no bound and counts every value.
fn histograms_end_at_infinity(metrics: &str) {
    let counts: Vec<&str> = metrics
        .lines()
        .filter(|l| l.contains("_seconds_count{"))
        .collect();
    assert!(
        counts.len() >= 4,
        "three stages and one network: {counts:?}"
    );
    for count in counts {
        let last = count.replacen("_count{", "_bucket{le=\"+Inf\",", 1);
        assert!(metrics.lines().any(|line| line == last), "no {last}");
    }
}

#[test]
fn the_end_of_a_file_is_the_end_of_the_run() {
    let file = scratch("ball.mp4");
    let line = "videotestsrc pattern=ball num-buffers=60 ! video/x-raw,width=640,height=360 \
                ! x264enc tune=zerolatency ! h264parse ! qtmux ! filesink location=";
    let made = gst_launch(&format!("{line}{}", file.display()));
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let output = demo(&[
        "--file",
        file.to_str().unwrap(),
        "--duration",
        "60",
        "--port",
        "5364",
    ]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(figure(&said, "displayed") > 10.0, "{said}");
    let seconds = said
        .lines()
        .filter(|line| line.contains(" frames displayed "))
        .count();
    assert!(seconds < 40, "went on for {seconds} s after a file of 2 s");
}

#[test]
fn people_are_found_on_a_real_camera() {
    finds("person", "one-by-one-person-detection.mp4", "5324");
}

#[test]
fn bottles_are_found_on_a_real_camera() {
    finds("bottle", "bottle-detection.mp4", "5344");
}

/// The machine may be slow: the longer run comes only after the shorter one found too little.
const SECONDS: [&str; 2] = ["12", "60"];

/// Plays the video through the demonstration, which must find at least 20 objects of that label.
fn finds(label: &str, video: &str, port: &str) {
    let (Some(video), Some(model), Some(labels)) = (
        shared(&format!("media/{video}")),
        shared("models/yolox_nano.onnx"),
        shared("models/coco_classes.txt"),
    ) else {
        return;
    };
    let [video, model, labels] = [&video, &model, &labels].map(|path| path.to_str().unwrap());
    let files = ["--file", video, "--model", model, "--labels", labels];
    let found = SECONDS.into_iter().any(|seconds| {
        let rest = ["--duration", seconds, "--port", port, "--confidence", "0.3"];
        let output = demo(&[&files[..], &rest].concat());
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{complained}");
        count(&said, label) >= 20 && figure(&said, "displayed") >= 20.0
    });
    assert!(found, "fewer than 20 times {label}");
}

/// How often `label` is in the final table.
fn count(said: &str, label: &str) -> u32 {
    let objects = said.lines().rfind(|line| line.starts_with("objects"));
    let found = objects.unwrap().split_once(&format!(" {label} "));
    let number = found.and_then(|(_, found)| found.split_whitespace().next());
    number.map_or(0, |number| number.parse().unwrap())
}
