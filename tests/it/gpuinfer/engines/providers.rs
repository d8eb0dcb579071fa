//! Devices: those that work, and those that say why not.

use super::{launch, refusal, said};
use crate::gpuinfer::{BALL, onnx};
use crate::support::launch::gstreamer;
use crate::support::media::shared;
use crate::support::onnxruntime::{plain, with_openvino};

fn model() -> String {
    format!("model={}", onnx::detector(&[BALL]).display())
}

/// The plain library as a property.
fn on_plain() -> Option<String> {
    Some(format!("onnxruntime-library={}", plain()?.display()))
}

#[test]
fn openvino_finds_the_astronaut_on_the_processor() {
    let (Some(library), Some(network), Some(labels), Some(image)) = (
        with_openvino(),
        shared("models/yolox_nano.onnx"),
        shared("models/coco_classes.txt"),
        shared("images/astronaut.png"),
    ) else {
        return;
    };
    let line = format!(
        "filesrc location={} ! pngdec ! videoconvert ! gpuinfer device=openvino post-messages=true model={} \
         labels={} onnxruntime-library={} ! fakesink",
        image.display(),
        network.display(),
        labels.display(),
        library.display()
    );
    let output = gstreamer("gst-launch-1.0")
        .arg("-m")
        .args(line.split_whitespace())
        .env("GST_DEBUG", "gpuinfer-engine:4")
        .env("GST_DEBUG_NO_COLOR", "1")
        .output()
        .unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("on onnxruntime 1.24.1, OpenVINO "), "{text}");
    assert!(text.contains("person"), "{text}");
}

#[test]
fn openvino_keeps_what_it_built() {
    let Some(library) = with_openvino() else {
        return;
    };
    let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("openvino-cache");
    let _ = std::fs::remove_dir_all(&cache);
    let properties = format!(
        "device=openvino precision=fp32 threads=1 engine-cache={} {} onnxruntime-library={}",
        cache.display(),
        model(),
        library.display()
    );
    let output = launch(&properties, &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        std::fs::read_dir(&cache).unwrap().count() > 0,
        "{}",
        said(&output)
    );
}

#[test]
fn a_device_that_the_library_was_not_made_for_is_refused_with_the_reason() {
    let Some(library) = on_plain() else {
        return;
    };
    for (device, reason) in [
        (
            "cuda",
            "CUDA 0: CUDA execution provider is not enabled in this build",
        ),
        (
            "tensorrt",
            "TensorRT 0: TensorRT execution provider is not enabled in this build",
        ),
        (
            "openvino",
            "OpenVINO execution provider is not supported in this build",
        ),
    ] {
        let text = refusal(&format!("device={device} {library} {}", model()));
        assert!(text.contains(reason), "{text}");
        assert!(text.contains("fallback to cpu"), "{text}");
    }
}

#[test]
fn the_reason_of_a_provider_that_has_no_such_device_is_its_own() {
    let Some(library) = with_openvino() else {
        return;
    };
    let library = format!("onnxruntime-library={}", library.display());
    let text = refusal(&format!("device=cuda {library} {}", model()));
    assert!(
        text.contains("CUDA execution provider is not enabled"),
        "{text}"
    );
}

#[test]
fn fallback_is_a_warning_and_the_processor() {
    let Some(library) = on_plain() else {
        return;
    };
    for device in ["cuda", "tensorrt", "openvino"] {
        let properties = format!("device={device} fallback=cpu {library} {}", model());
        let output = launch(&properties, &[]);
        let text = said(&output);
        assert!(output.status.success(), "{text}");
        assert!(
            text.contains("does not work, onnxruntime 1.31.1, CPU runs instead"),
            "{text}"
        );
        assert!(text.contains("in this build"), "{text}");
        assert!(text.contains("livetune-detections"), "{text}");
    }
}

#[test]
fn the_engine_built_in_has_no_gpu() {
    let text = refusal(&format!("backend=rten device=cuda {}", model()));
    assert!(text.contains("rten runs on the processor only"), "{text}");
    let output = launch(
        &format!("backend=rten device=cuda fallback=cpu {}", model()),
        &[],
    );
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("rten 0.27, CPU runs instead"), "{text}");
}

#[test]
fn fallback_does_not_hide_a_bad_model() {
    let broken = onnx::write_model(b"hello");
    let text = refusal(&format!(
        "device=cuda fallback=cpu model={}",
        broken.display()
    ));
    assert!(text.contains("is no ONNX model"), "{text}");
}

#[test]
fn a_precision_that_changes_nothing_is_a_warning() {
    let output = launch(&format!("backend=rten precision=fp16 {}", model()), &[]);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("precision=fp16 changes nothing on CPU"),
        "{text}"
    );
}
