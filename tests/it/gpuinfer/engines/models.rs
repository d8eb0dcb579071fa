//! Files that are no model, or one that cannot be run, with either engine.

use std::path::Path;

use gstlivetune::{Backend, BareEngine};

use crate::gpuinfer::{BALL, CAPS, onnx};
use crate::support::allocations::Tally;
use crate::support::onnxruntime::plain;
use crate::support::pipeline::{Pipeline, stats};

/// The properties of both engines, as far as they are here.
pub fn engines() -> Vec<String> {
    let onnx_runtime = plain().map(|library| {
        format!(
            "backend=onnxruntime onnxruntime-library={}",
            library.display()
        )
    });
    std::iter::once("backend=rten".to_owned())
        .chain(onnx_runtime)
        .collect()
}

/// What each engine says of the model in this file.
fn refusals(bytes: &[u8]) -> Vec<String> {
    let path = onnx::write_model(bytes);
    let engines = engines();
    engines
        .iter()
        .map(|engine| refusal(&path, engine))
        .collect()
}

fn refusal(path: &Path, engine: &str) -> String {
    let path = path.display();
    let line =
        format!("videotestsrc num-buffers=1 ! {CAPS} ! gpuinfer model={path} {engine} ! fakesink");
    Pipeline::parse(&line).error_on_the_way_to(gst::State::Paused)
}

#[test]
fn what_is_no_model_is_refused_by_both_engines() {
    let whole = std::fs::read(onnx::detector(&[BALL])).unwrap();
    let cut = &whole[..whole.len() / 2];
    let noise: Vec<u8> = (0..4096u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for bytes in [&b""[..], b"hello", cut, &whole[..whole.len() - 1], &noise] {
        for text in refusals(bytes) {
            assert!(text.contains("is no ONNX model"), "{text}");
        }
    }
}

/// As a download leaves it that reserved the space first.
#[test]
fn gigabytes_of_nothing_are_refused_before_they_take_memory() {
    // More than protobuf can hold, and just as much.
    for (bytes, expected) in [
        (3 << 30, "is no file of at most 2147483647 bytes"),
        ((1 << 31) - 1, "is no ONNX model"),
    ] {
        let path = onnx::write_model(b"");
        std::fs::File::create(&path)
            .unwrap()
            .set_len(bytes)
            .unwrap();
        for engine in engines() {
            let before = most_resident();
            let text = refusal(&path, &engine);
            assert!(text.contains(expected), "{bytes}: {text}");
            let took = most_resident() - before;
            assert!(took < 500_000, "{bytes}: {took} kB");
        }
        std::fs::remove_file(path).unwrap();
    }
}

/// The most memory that this process ever had, in kB.
fn most_resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn weights_that_do_not_lie_beside_the_model_are_missed_by_name() {
    let file = format!("weights-{}.onnx.data", std::process::id());
    let (path, weights) = onnx::detector_with_weights_in(&file, &[BALL]);
    for engine in engines() {
        let text = refusal(&path, &engine);
        assert!(
            text.contains("is no ONNX model that can be loaded"),
            "{text}"
        );
        assert!(text.contains(&file), "{engine}: {text}");
    }
    let beside = path.with_file_name(&file);
    // Shorter than the model says.
    std::fs::write(&beside, &weights[..weights.len() / 2]).unwrap();
    for engine in engines() {
        let text = refusal(&path, &engine);
        assert!(
            text.contains("is no ONNX model that can be loaded"),
            "{text}"
        );
    }
    std::fs::write(&beside, &weights).unwrap();
    for engine in engines() {
        assert_eq!(objects_of_two_frames(&path, &engine), Ok(2), "{engine}");
    }
    std::fs::remove_file(beside).unwrap();
}

#[test]
fn an_operator_that_is_not_known_is_named() {
    for text in refusals(&onnx::with_operator("NoSuchOperator", 13)) {
        assert!(text.contains("NoSuchOperator"), "{text}");
    }
}

#[test]
fn an_opset_of_the_future_is_refused() {
    let texts = refusals(&onnx::with_operator("Sigmoid", 9999));
    // rten looks at operators only.
    if let Some(text) = texts.get(1) {
        assert!(text.contains("opset"), "{text}");
    }
    assert!(texts.iter().all(|text| text.contains("model")), "{texts:?}");
}

#[test]
fn a_model_works_with_both_engines() {
    let path = onnx::detector(&[BALL]);
    for engine in engines() {
        assert_eq!(objects_of_two_frames(&path, &engine), Ok(2), "{engine}");
    }
}

fn objects_of_two_frames(path: &Path, engine: &str) -> Result<u64, String> {
    let line = format!(
        "videotestsrc num-buffers=2 ! {CAPS} ! gpuinfer name=infer model={} {engine} ! fakesink",
        path.display()
    );
    let pipeline = Pipeline::parse(&line);
    pipeline.run_to_eos();
    let stats = stats(&pipeline.element("infer"));
    stats.get("objects").map_err(|error| error.to_string())
}

/// After the runs that show how large the outputs are.
#[test]
fn a_run_asks_for_no_memory() {
    let Some(library) = plain() else {
        return;
    };
    let path = onnx::detector(&[BALL]);
    let mut engine = BareEngine::open(&path, Backend::OnnxRuntime, Some(library), 1).unwrap();
    let (shape, data) = ([1, 3, 64, 64], vec![0.5; 3 * 64 * 64]);
    let first = engine.run(&shape, &data).unwrap();
    engine.run(&shape, &data).unwrap();
    let tally = Tally::new();
    tally.join();
    let sums = [(); 5].map(|()| engine.run(&shape, &data));
    Tally::leave();
    assert_eq!(tally.allocations(), 0);
    assert!(sums.iter().all(|sum| sum == &Ok(first)), "{sums:?}");
}
