//! What is refused, and how the element says so.

use gst::prelude::*;

use super::rig::{CAMERA, Rig};
use crate::support::launch::{gst_launch, gstreamer};
use crate::support::pipeline::Pipeline;

#[test]
fn an_unknown_level_at_the_start_is_an_error_that_names_the_known_ones() {
    let pipeline = Pipeline::parse("videotestsrc ! qualityswitch level=best ! fakesink");
    let error = pipeline.error_on_the_way_to(gst::State::Ready);
    assert!(error.contains("\"best\""), "{error}");
    assert!(
        error.contains("ultra-high, high, medium, low, ultra-low"),
        "{error}"
    );
}

#[test]
fn a_ladder_that_cannot_be_read_is_an_error_with_the_position() {
    let pipeline = Pipeline::parse("videotestsrc ! qualityswitch name=q ! fakesink");
    let element = pipeline.element("q");
    element.set_property("ladder", "high=1920x1080@30,low=640y360@15");
    let error = pipeline.error_on_the_way_to(gst::State::Ready);
    assert!(error.contains("at character 19"), "{error}");
    pipeline.set_state(gst::State::Null).unwrap();
    element.set_property("ladder", None::<String>);
    pipeline.play();
}

#[test]
fn an_unknown_level_while_playing_is_a_warning_and_the_old_one_stays() {
    let mut rig = Rig::at_level(CAMERA, "low");
    rig.push(0);
    rig.set_level("best");
    let warning = rig.warning().unwrap();
    assert!(
        warning.contains("ultra-high, high, medium, low, ultra-low"),
        "{warning}"
    );
    assert_eq!(rig.level().as_deref(), Some("low"));
    rig.push(30);
    assert_eq!(rig.size(), (640, 360));
}

#[test]
fn a_level_is_refused_while_the_network_chooses() {
    let mut rig = Rig::new(CAMERA, &[]);
    rig.push(0);
    rig.set_level("low");
    assert!(rig.warning().unwrap().contains("auto=false"));
    assert_eq!(rig.level().as_deref(), Some("high"));
    rig.element.set_property("auto", false);
    rig.set_level("low");
    rig.push(30);
    assert_eq!(rig.size(), (640, 360));
    assert_eq!(rig.warning(), None);
}

#[test]
fn without_a_level_it_begins_with_the_best() {
    let mut rig = Rig::new(CAMERA, &[("auto", "false")]);
    assert_eq!(rig.level().as_deref(), Some("ultra-high"));
    rig.push(0);
    assert_eq!(rig.size(), (1280, 720));
    let mut started_low = Rig::new(CAMERA, &[("level", "ultra-low")]);
    started_low.push(0);
    assert_eq!(started_low.size(), (426, 240));
}

#[test]
fn a_missing_scaler_is_an_error_that_names_the_package() {
    crate::support::init();
    let core = gst::Registry::get().find_plugin("coreelements").unwrap();
    let file = core.filename().unwrap();
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("only-core-elements");
    std::fs::create_dir_all(&dir).unwrap();
    let link = dir.join("libgstcoreelements.so");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(file, link).unwrap();
    let output = gstreamer("gst-launch-1.0")
        .env("GST_PLUGIN_SYSTEM_PATH", &dir)
        .env("GST_PLUGIN_SYSTEM_PATH_1_0", &dir)
        .env("GST_REGISTRY", dir.join("registry.bin"))
        .args("fakesrc ! qualityswitch ! fakesink".split(' '))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains("videoscale is missing"), "{text}");
    assert!(text.contains("gstreamer1.0-plugins-base"), "{text}");
}

#[test]
fn a_line_of_gst_launch_is_enough() {
    let output = gst_launch(
        "videotestsrc num-buffers=30 ! qualityswitch auto=false level=low \
         ladder=low=160x120@10,lower=80x60@10 ! video/x-raw,width=160,height=120 ! fakesink",
    );
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.is_empty(), "{text}");
}

#[test]
fn nothing_is_leaked() {
    let output = gstreamer("gst-launch-1.0")
        .env("GST_TRACERS", "leaks")
        .env("GST_DEBUG", "GST_TRACER:7")
        .env("GST_DEBUG_NO_COLOR", "1")
        .args(
            "-q videotestsrc num-buffers=30 ! qualityswitch level=ultra-low ! fakesink".split(' '),
        )
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let alive = |line: &&str| line.contains("object-alive,") && !line.contains("format string");
    let leaked = text.lines().filter(alive);
    assert_eq!(leaked.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_preset_for_low_latency_leaves_the_largest_size_out() {
    let output = gstreamer("gst-launch-1.0")
        .args(
            "-v videotestsrc num-buffers=1 ! qualityswitch @preset=low-latency ! fakesink"
                .split(' '),
        )
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let inspected = gstreamer("gst-inspect-1.0").arg("qualityswitch").output();
    let manual = String::from_utf8(inspected.unwrap().stdout).unwrap();
    assert!(manual.contains("low-latency"), "{manual}");
}
