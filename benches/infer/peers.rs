//! GStreamer's own onnxinference and this element on the same frames, with the same ONNX Runtime, in a tree of Debian sid.
//!
//! `make bench-infer-peers` makes that tree and names it in `LIVETUNE_SID`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::pictures;
use crate::samples::{now, percentile};

const ROUNDS: usize = 5;
const FRAMES: u32 = 300;
const MODEL: &str = "yolox_nano.onnx";
const VIDEO: &str = "one-by-one-person-detection.mp4";
/// onnxinference wants to be told what each tensor is.
const MODEL_INFO: &str = "[modelinfo]\nversion=1.0\ngroup-id=yolox\n\n\
     [images]\nid=images\ntype=float32\ndims=1,3,416,416\ndir=input\ndims-order=row-major\nranges=0.0,255.0\n\n\
     [output]\nid=output\ntype=float32\ndims=1,3549,85\ndir=output\ndims-order=row-major\n";
const CASES: [(&str, &str); 5] = [
    ("no network", "identity"),
    (
        "onnxinference (frames leave as 416x416 RGB, undecoded)",
        "videoconvertscale ! video/x-raw,format=RGB,width=416,height=416,pixel-aspect-ratio=1/1 \
         ! onnxinference optimization-level=3 model-file=/bench/yolox_nano.onnx",
    ),
    (
        "gpuinfer backend=onnxruntime",
        "gpuinfer backend=onnxruntime model=/bench/yolox_nano.onnx",
    ),
    (
        "gpuinfer backend=onnxruntime threads=1",
        "gpuinfer backend=onnxruntime threads=1 model=/bench/yolox_nano.onnx",
    ),
    (
        "gpuinfer backend=rten",
        "gpuinfer backend=rten model=/bench/yolox_nano.onnx",
    ),
];

pub fn table() {
    let Some(tree) = std::env::var_os("LIVETUNE_SID").map(PathBuf::from) else {
        return;
    };
    furnish(&tree);
    println!(
        "\n{FRAMES} frames of 1280x720 NV12, YOLOX-nano, GStreamer and ONNX Runtime of Debian sid, medians of {ROUNDS} turns.\n"
    );
    println!("| | ms per frame | processor ms per frame |");
    println!("| --- | ---: | ---: |");
    let mut taken = [const { (Vec::new(), Vec::new()) }; CASES.len()];
    for _ in 0..ROUNDS {
        for ((_, elements), (walls, processors)) in CASES.iter().zip(&mut taken) {
            let (wall, processor) = run(&tree, elements);
            walls.push(wall);
            processors.push(processor);
        }
    }
    let per_frame = |total: u64| total as f64 / 1e6 / f64::from(FRAMES);
    for ((name, _), (walls, processors)) in CASES.iter().zip(&mut taken) {
        let (wall, processor) = (percentile(walls, 50), percentile(processors, 50));
        println!(
            "| {name} | {:.1} | {:.1} |",
            per_frame(wall),
            per_frame(processor)
        );
    }
}

/// Puts the model, the video and the plugin where the tree sees them.
fn furnish(tree: &Path) {
    let folder = tree.join("bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(pictures::model(), folder.join(MODEL)).unwrap();
    std::fs::copy(
        pictures::shared(&format!("media/{VIDEO}")),
        folder.join(VIDEO),
    )
    .unwrap();
    std::fs::write(folder.join(format!("{MODEL}.modelinfo")), MODEL_INFO).unwrap();
    let library = std::env::current_exe().unwrap();
    let library = library.with_file_name("libgstlivetune.so");
    std::fs::copy(library, folder.join("libgstlivetune.so")).unwrap();
}

/// What a whole run took, and the processor's part of it, ns.
fn run(tree: &Path, elements: &str) -> (u64, u64) {
    let line = format!(
        "filesrc location=/bench/{VIDEO} ! decodebin ! identity eos-after={FRAMES} ! videoconvertscale \
         ! video/x-raw,format=NV12,width=1280,height=720 ! {elements} ! fakesink"
    );
    let (start, before) = (now(), of_children());
    let output = Command::new("chroot")
        .arg(tree)
        .args(["gst-launch-1.0", "-q"])
        .args(line.split_whitespace())
        .env("GST_PLUGIN_PATH", "/bench")
        .env("GST_REGISTRY", "/bench/registry.bin")
        .env_remove("LIVETUNE_ORT_PATH")
        .env_remove("ORT_DYLIB_PATH")
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {complaint}");
    (now() - start, of_children() - before)
}

/// The processor time of all children that have ended, ns.
fn of_children() -> u64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call fills the structure that it is given; zeroes are valid where it did not.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    (time(usage.ru_utime) + time(usage.ru_stime)).as_nanos() as u64
}
