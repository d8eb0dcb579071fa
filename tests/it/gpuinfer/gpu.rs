//! On a machine with an NVIDIA GPU and an ONNX Runtime made for it: the network there finds what it finds on the
//! processor, whether frames come in main memory or in CUDA memory. Elsewhere these tests say why they are left out.
//!
//! An ONNX Runtime that lies in no usual folder is named by `LIVETUNE_ORT_PATH`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

use crate::support::launch::gstreamer;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/shapes.onnx");
const CAPS: &str = "format=NV12,width=1280,height=720,framerate=30/1";
const FRAMES: usize = 60;

/// Left, top, width, height and confidence of what is found, frame by frame.
type Boxes = Vec<Vec<[f64; 5]>>;

/// Runs `line` of gst-launch-1.0 with the ONNX Runtime that the user names.
fn launch(line: &str) -> Output {
    let mut command = gstreamer("gst-launch-1.0");
    command
        .arg("-m")
        .args(line.split_whitespace())
        .env("GST_DEBUG", "gpuinfer-engine:4,gpuinfer-cuda:5")
        .env("GST_DEBUG_NO_COLOR", "1");
    if let Some(library) = std::env::var_os("LIVETUNE_ORT_PATH") {
        command.env("LIVETUNE_ORT_PATH", library);
    }
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Whether networks run on a GPU here; the reason is said where not.
fn has_gpu() -> bool {
    static REASON: OnceLock<Option<String>> = OnceLock::new();
    let reason = REASON.get_or_init(|| {
        if !Path::new("/dev/nvidiactl").exists() {
            return Some("there is no NVIDIA GPU (/dev/nvidiactl)".to_owned());
        }
        let source = "videotestsrc num-buffers=1 ! video/x-raw";
        let output = launch(&format!(
            "{source},{CAPS} ! gpuinfer model={MODEL} backend=onnxruntime device=cuda ! fakesink"
        ));
        let text = said(&output);
        let error = text.lines().find(|line| line.starts_with("ERROR: from"));
        (!output.status.success()).then(|| error.unwrap_or("it does not run").to_owned())
    });
    if let Some(why) = reason {
        eprintln!("SKIP: no network runs on a GPU here: {why}");
    }
    reason.is_none()
}

fn has_element(name: &str) -> bool {
    let output = gstreamer("gst-inspect-1.0").arg(name).output().unwrap();
    let is_there = output.status.success();
    if !is_there {
        eprintln!("SKIP: GStreamer has no {name} here");
    }
    is_there
}

fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gpu");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// What is found in a ball that moves, through `before` and with these `properties`, and what the program says.
fn found(name: &str, before: &str, properties: &str) -> (Boxes, String) {
    let (lines, text) = found_by(&[name.to_owned()], before, properties);
    (lines.into_iter().next().unwrap(), text)
}

/// The same for as many elements as there are `names`, in one program.
fn found_by(names: &[String], before: &str, properties: &str) -> (Vec<Boxes>, String) {
    let branch = |name: &String| {
        format!(
            "videotestsrc pattern=ball num-buffers={FRAMES} ! video/x-raw,{CAPS} ! {before} queue \
             ! gpuinfer late-policy=block confidence=0.3 model={MODEL} publish=jsonl publish-location={} {properties} \
             ! fakesink",
            file(name).display()
        )
    };
    let line: Vec<String> = names.iter().map(branch).collect();
    let output = launch(&line.join(" "));
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    let boxes = names.iter().map(|name| {
        let lines = fs::read_to_string(file(name)).unwrap();
        let boxes: Boxes = lines.lines().map(boxes_of).collect();
        assert_eq!(boxes.len(), FRAMES, "{name}: {text}");
        boxes
    });
    (boxes.collect(), text)
}

fn boxes_of(line: &str) -> Vec<[f64; 5]> {
    let frame: serde_json::Value = serde_json::from_str(line).unwrap();
    let objects = frame["objects"].as_array().unwrap();
    let number = |object: &serde_json::Value, name: &str| object[name].as_f64().unwrap();
    let one = |object: &serde_json::Value| {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| number(object, name));
        [x, y, w, h, number(&object["detection"], "confidence")]
    };
    objects.iter().map(one).collect()
}

fn iou(a: [f64; 5], b: [f64; 5]) -> f64 {
    let shared = |at: usize| {
        let end = (a[at] + a[at + 2]).min(b[at] + b[at + 2]);
        (end - a[at].max(b[at])).max(0.0)
    };
    let both = shared(0) * shared(1);
    both / (a[2] * a[3] + b[2] * b[3] - both)
}

/// The same boxes; `confidence` is how far their confidences may be apart.
fn check(what: &str, seen: &Boxes, expected: &Boxes, confidence: f64) {
    assert!(
        expected.iter().any(|boxes| !boxes.is_empty()),
        "nothing is found"
    );
    for (at, (seen, expected)) in seen.iter().zip(expected).enumerate() {
        assert_eq!(
            seen.len(),
            expected.len(),
            "{what}, frame {at}: {seen:?} for {expected:?}"
        );
        for (seen, expected) in seen.iter().zip(expected) {
            let is_near =
                iou(*seen, *expected) >= 0.97 && (seen[4] - expected[4]).abs() <= confidence;
            assert!(is_near, "{what}, frame {at}: {seen:?} for {expected:?}");
        }
    }
}

fn on_the_processor(name: &str) -> Boxes {
    found(name, "", "device=cpu").0
}

#[test]
fn frames_in_cuda_memory_are_offered_a_place_with_and_without_a_gpu() {
    crate::support::init();
    let factory = gst::ElementFactory::find("gpuinfer").unwrap();
    for format in ["NV12", "I420", "RGBA", "BGRx"] {
        let caps = format!(
            "video/x-raw(memory:CUDAMemory),format={format},width=64,height=64,framerate=30/1"
        );
        let caps: gst::Caps = caps.parse().unwrap();
        assert!(
            factory.can_sink_all_caps(&caps) && factory.can_src_all_caps(&caps),
            "{format}"
        );
    }
    let unknown = "video/x-raw(memory:CUDAMemory),format=P010_10LE,width=64,height=64";
    assert!(!factory.can_sink_any_caps(&unknown.parse::<gst::Caps>().unwrap()));
}

#[test]
fn cuda_finds_what_the_processor_finds() {
    if !has_gpu() {
        return;
    }
    let expected = on_the_processor("cuda-expected");
    let (seen, text) = found("cuda", "", "device=cuda");
    assert!(text.contains(", CUDA 0"), "{text}");
    check("CUDA", &seen, &expected, 0.02);
}

#[test]
fn auto_picks_cuda() {
    if !has_gpu() {
        return;
    }
    let (_, text) = found("auto", "", "device=auto");
    assert!(text.contains(", CUDA 0 (Accelerator)"), "{text}");
}

#[test]
fn tensorrt_finds_what_the_processor_finds_and_keeps_what_it_built() {
    if !has_gpu() {
        return;
    }
    let cache = file("engines");
    let _ = fs::remove_dir_all(&cache);
    let properties = format!(
        "device=tensorrt precision=fp16 max-batch-size=4 engine-cache={}",
        cache.display()
    );
    let line = format!(
        "videotestsrc num-buffers=1 ! video/x-raw,{CAPS} ! gpuinfer model={MODEL} {properties} ! fakesink"
    );
    let output = launch(&line);
    if !output.status.success() {
        let text = said(&output);
        let error = text.lines().find(|line| line.starts_with("ERROR: from"));
        eprintln!(
            "SKIP: TensorRT does not work here: {}",
            error.unwrap_or(&text)
        );
        return;
    }
    assert!(fs::read_dir(&cache).unwrap().count() > 0, "nothing is kept");
    let expected = on_the_processor("tensorrt-expected");
    let (seen, text) = found("tensorrt", "", &properties);
    assert!(text.contains(", TensorRT 0"), "{text}");
    check("TensorRT", &seen, &expected, 0.05);
}

#[test]
fn frames_in_cuda_memory_are_looked_at_there() {
    if !has_gpu() || !has_element("cudaupload") {
        return;
    }
    let (expected, _) = found("system-memory", "", "device=cuda");
    let before = "cudaupload ! video/x-raw(memory:CUDAMemory) !";
    let (seen, text) = found("cuda-memory", before, "device=cuda");
    assert!(!text.contains("is downloaded"), "{text}");
    check("CUDA memory", &seen, &expected, 0.02);
    if has_element("cudaconvert") {
        for format in ["RGBA", "BGRx", "I420"] {
            let before = format!(
                "cudaupload ! cudaconvert ! video/x-raw(memory:CUDAMemory),format={format} !"
            );
            let (seen, text) = found("cuda-format", &before, "device=cuda");
            assert!(!text.contains("is downloaded"), "{format}: {text}");
            check(format, &seen, &expected, 0.05);
        }
    }
}

#[test]
fn frames_in_cuda_memory_are_downloaded_for_the_processor_and_that_is_said() {
    if !has_gpu() || !has_element("cudaupload") {
        return;
    }
    let expected = on_the_processor("downloaded-expected");
    let before = "cudaupload ! video/x-raw(memory:CUDAMemory) !";
    let (seen, text) = found("downloaded", before, "device=cpu");
    assert!(text.contains("each is downloaded"), "{text}");
    check("downloaded", &seen, &expected, 0.001);
}

#[test]
fn batches_of_all_sizes_find_the_same_from_both_memories() {
    if !has_gpu() {
        return;
    }
    let expected = on_the_processor("batches-expected");
    let mut ways = vec![""];
    if has_element("cudaupload") {
        ways.push("cudaupload ! video/x-raw(memory:CUDAMemory) !");
    }
    for before in ways {
        for size in [1, 2, 4, 8, 16, 32] {
            let names: Vec<String> = (0..size).map(|number| format!("batch-{number}")).collect();
            let properties = format!("device=cuda max-batch-size={size} max-queue-delay=20");
            let (seen, text) = found_by(&names, before, &properties);
            assert!(!text.contains("is downloaded"), "{text}");
            for seen in &seen {
                check(&format!("a batch of {size}"), seen, &expected, 0.02);
            }
        }
    }
}
