//! Engines against each other, on a real network and a real picture.

use std::env;
use std::path::{Path, PathBuf};

use gst::prelude::*;
use rten_onnx::onnx::{AttributeProto, DataType};

use super::survey::tests as files;
use super::*;

/// Largest difference of two engines' outputs that rounding explains; the numbers are of the order of 1 to 10.
const ROUNDING: f32 = 2e-3;

/// The file at `path` of the folder `shared` beside the project.
fn shared(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(path);
    let found = file.exists().then_some(file);
    if found.is_none() {
        skip(&format!("shared/{path} is not here"));
    }
    found
}

#[expect(clippy::print_stdout, reason = "the test says why it does nothing")]
fn skip(why: &str) {
    println!("SKIP: {why}");
}

/// ONNX Runtime as `make check` brings it into the folder that this test was built into.
pub(super) fn library() -> Option<PathBuf> {
    let test = env::current_exe().expect("a program");
    let folder = test.ancestors().nth(3)?.join("onnxruntime");
    if folder.join(".complete").exists() {
        return Some(folder);
    }
    skip("run `make onnxruntime`");
    None
}

fn rten() -> EngineOptions {
    EngineOptions {
        backend: Backend::Rten,
        ..EngineOptions::default()
    }
}

fn onnx_runtime() -> Option<EngineOptions> {
    Some(EngineOptions {
        backend: Backend::OnnxRuntime,
        library: Some(library()?),
        ..EngineOptions::default()
    })
}

fn engine(path: &Path, options: &EngineOptions) -> Box<dyn Engine> {
    gst::init().expect("GStreamer starts");
    let opened = open(path, options).unwrap_or_else(|error| unreachable!("{error}"));
    assert_eq!(opened.device, ActiveDevice::Cpu);
    assert_eq!(opened.warnings, [""; 0]);
    opened.engine
}

/// The astronaut as YOLOX wants her: blue, green, red, 0 to 255.
fn astronaut(side: usize) -> Option<Vec<f32>> {
    gst::init().expect("GStreamer starts");
    let line = format!(
        "filesrc location={} ! pngdec ! videoconvert ! videoscale \
         ! video/x-raw,format=GBR,width={side},height={side} ! appsink name=sink sync=false",
        shared("images/astronaut.png")?.display()
    );
    let pipeline = gst::parse::launch(&line).expect("it can be made");
    let bin = pipeline.downcast_ref::<gst::Bin>().expect("a pipeline");
    let sink = bin.by_name("sink").expect("the sink");
    pipeline.set_state(gst::State::Playing).expect("it plays");
    let sample = sink.emit_by_name::<gst::Sample>("pull-sample", &[]);
    pipeline.set_state(gst::State::Null).expect("it stops");
    let buffer = sample.buffer_owned().expect("a picture");
    let bytes = buffer.map_readable().expect("readable");
    // The planes are green, blue, red.
    let planes: Vec<&[u8]> = bytes.chunks_exact(side * side).collect();
    let order = [planes[1], planes[0], planes[2]];
    Some(order.concat().into_iter().map(f32::from).collect())
}

fn run(engine: &mut dyn Engine, batch: usize, data: &[f32]) -> Vec<f32> {
    let shape = [batch, 3, 416, 416];
    let tensor = TensorRef {
        shape: &shape,
        data,
    };
    engine
        .run(tensor)
        .unwrap_or_else(|error| unreachable!("{error}"));
    let output = engine.output(0).expect("an output");
    assert_eq!(output.shape, [batch, 3549, 85]);
    assert!(engine.output(1).is_none());
    output.data.to_vec()
}

fn assert_near(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    let largest = differences.fold(0.0, f32::max);
    assert!(largest < ROUNDING, "they differ by {largest}");
}

/// Three pictures that are not alike.
fn pictures() -> Option<[Vec<f32>; 3]> {
    let straight = astronaut(416)?;
    let reversed = straight.iter().rev().copied().collect();
    let dark = straight.iter().map(|value| value / 2.0).collect();
    Some([straight, reversed, dark])
}

#[test]
fn both_engines_see_the_same_in_the_astronaut() {
    let (Some(path), Some(options)) = (shared("models/yolox_nano.onnx"), onnx_runtime()) else {
        return;
    };
    let Some(picture) = astronaut(416) else {
        return;
    };
    let a = run(&mut *engine(&path, &rten()), 1, &picture);
    let mut engine = engine(&path, &options);
    let first = run(&mut *engine, 1, &picture);
    assert_near(&a, &first);
    let objectness = first
        .chunks_exact(85)
        .map(|cell| cell[4])
        .fold(0.0, f32::max);
    assert!(objectness > 0.8, "somebody is there: {objectness}");
    // From the second run on the results are written into memory that is kept.
    assert_eq!(run(&mut *engine, 1, &picture), first);
}

#[test]
fn a_batch_is_as_its_pictures_one_by_one() {
    let Some(path) = shared("models/yolox_nano_dynbatch.onnx") else {
        return;
    };
    let Some(pictures) = pictures() else {
        return;
    };
    for options in [Some(rten()), onnx_runtime()].into_iter().flatten() {
        let mut engine = engine(&path, &options);
        let alone: Vec<_> = pictures
            .iter()
            .map(|picture| run(&mut *engine, 1, picture))
            .collect();
        assert!(alone[0] != alone[1] && alone[0] != alone[2]);
        // Up and down again, as memory that grows must not be mixed up with memory that was; rten keeps no memory and
        // takes longer.
        let again = options.backend == Backend::OnnxRuntime;
        let batches = [1, 3, 2, 8, 5, 1, 8, 4, 6, 7];
        for batch in batches.into_iter().take(if again { 10 } else { 4 }) {
            let order = (0..batch).map(|slot| slot % pictures.len());
            let data: Vec<f32> = order.clone().flat_map(|at| pictures[at].clone()).collect();
            let all = run(&mut *engine, batch, &data);
            for (slot, at) in order.enumerate() {
                let length = alone[at].len();
                assert_near(&all[slot * length..(slot + 1) * length], &alone[at]);
            }
        }
    }
}

#[test]
fn a_fork_sees_the_same_at_the_same_time() {
    let (Some(path), Some(picture)) = (shared("models/yolox_nano.onnx"), astronaut(416)) else {
        return;
    };
    for options in [Some(rten()), onnx_runtime()].into_iter().flatten() {
        let mut first = engine(&path, &options);
        let seed = first.seed().expect("the processor shares");
        let mut second = seed.grow(1).unwrap_or_else(|error| unreachable!("{error}"));
        let both = std::thread::scope(|scope| {
            let other = scope.spawn(|| run(&mut *second, 1, &picture));
            (
                run(&mut *first, 1, &picture),
                other.join().expect("no panic"),
            )
        });
        assert_near(&both.0, &both.1);
    }
}

#[test]
fn a_run_of_the_engine_built_in_takes_no_pages_of_the_system() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/shapes.onnx");
    let options = EngineOptions {
        threads: 1,
        ..rten()
    };
    let mut engine = engine(&path, &options);
    let shape = [16, 3, 320, 320];
    let data = vec![0.5; shape.iter().product()];
    let home = engine.home();
    let tensor = TensorRef {
        shape: &shape,
        data: &data,
    };
    let mut run = || {
        let before = machine::pages();
        assert_eq!(engine.run(tensor), Ok(()));
        machine::pages() - before
    };
    let taken = [(); 16].map(|()| home.run(&mut run));
    // Threads of other tests may take what this one left.
    let few = taken[6..].iter().filter(|pages| **pages < 256).count();
    assert!(taken[0] > 1024 && few >= 5, "{taken:?}");
}

#[test]
fn many_may_open_at_once() {
    let Some(path) = shared("models/version-RFB-320.onnx") else {
        return;
    };
    for options in [Some(rten()), onnx_runtime()].into_iter().flatten() {
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let mut engine = engine(&path, &options);
                    let names: Vec<_> = engine.outputs().iter().map(|info| &info.name).collect();
                    assert_eq!(names, ["scores", "boxes"]);
                    assert_eq!(engine.inputs().len(), 1, "weights are no inputs");
                    let (shape, data) = ([1, 3, 240, 320], vec![0.5; 3 * 240 * 320]);
                    let tensor = TensorRef {
                        shape: &shape,
                        data: &data,
                    };
                    assert_eq!(engine.run(tensor), Ok(()));
                    assert_eq!(
                        engine.output(1).map(|boxes| boxes.shape.to_vec()),
                        Some(vec![1, 4420, 4])
                    );
                });
            }
        });
    }
}

#[test]
fn a_run_is_ended_from_another_thread() {
    let (Some(path), Some(options)) = (shared("models/yolox_nano_dynbatch.onnx"), onnx_runtime())
    else {
        return;
    };
    let mut engine = engine(&path, &options);
    // A second or more, if it were not ended.
    let shape = [64, 3, 416, 416];
    let data = vec![0.5; shape.iter().product()];
    let stopper = engine.stopper();
    let (begun, beginning) = std::sync::mpsc::channel();
    let outcome = std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            begun.send(()).expect("somebody waits");
            engine.run(TensorRef {
                shape: &shape,
                data: &data,
            })
        });
        beginning.recv().expect("it begins");
        stopper.stop();
        running.join().expect("no panic")
    });
    assert_eq!(outcome.expect_err("ended").fault, Fault::Stopped);
    assert!(engine.output(0).is_none());
    let again = engine.run(TensorRef {
        shape: &shape,
        data: &data,
    });
    assert_eq!(again.expect_err("ended for good").fault, Fault::Stopped);
}

#[test]
fn an_input_of_the_wrong_size_is_refused_and_the_next_one_works() {
    let (Some(path), Some(picture)) = (shared("models/yolox_nano.onnx"), astronaut(416)) else {
        return;
    };
    for options in [Some(rten()), onnx_runtime()].into_iter().flatten() {
        let mut engine = engine(&path, &options);
        for shape in [
            &[1, 3, 416, 400][..],
            &[2, 3, 416, 416],
            &[3, 416, 416],
            &[],
        ] {
            let data = vec![0.0; shape.iter().product()];
            let refused = engine.run(TensorRef { shape, data: &data });
            assert_eq!(
                refused.expect_err("refused").fault,
                Fault::Model,
                "{shape:?}"
            );
            assert!(engine.output(0).is_none());
        }
        let short = TensorRef {
            shape: &[1, 3, 416, 416],
            data: &picture[1..],
        };
        assert!(engine.run(short).is_err());
        run(&mut *engine, 1, &picture);
    }
}

/// A file whose network takes numbers of one kind and gives them, cast to another, as they are.
fn cast(from: DataType, to: DataType) -> PathBuf {
    let mut node = files::node("Cast", &["images"], "out");
    node.attribute.push(AttributeProto {
        name: Some("to".to_owned()),
        i: Some(i64::from(to.0)),
        r#type: Some(rten_onnx::onnx::AttributeType::INT),
        ..AttributeProto::default()
    });
    let mut model = files::model(vec![node], Vec::new(), "out");
    let graph = model.graph.as_mut().expect("a graph");
    for (info, kind) in [(&mut graph.input[0], from), (&mut graph.output[0], to)] {
        let tensor = info
            .r#type
            .as_mut()
            .and_then(|kind| kind.tensor_type.as_mut());
        let tensor = tensor.expect("a tensor");
        tensor.elem_type = Some(kind);
        let sizes = tensor.shape.as_mut().expect("a shape");
        sizes.dim.clone_from(&sizes_of(4));
    }
    files::file(&model.write_buf().expect("encoded"))
}

/// As many sizes that are free.
fn sizes_of(rank: usize) -> Vec<rten_onnx::onnx::Dimension> {
    let names = ["n", "c", "h", "w"].into_iter().take(rank);
    names
        .map(|name| rten_onnx::onnx::Dimension {
            dim_value: None,
            dim_param: Some(name.to_owned()),
        })
        .collect()
}

#[test]
fn numbers_of_other_kinds_go_in_and_come_out_as_f32() {
    let (shape, data) = ([1, 1, 2, 3], [0.0, 1.0, 2.0, 114.0, 200.0, 255.0]);
    let tensor = TensorRef {
        shape: &shape,
        data: &data,
    };
    let (byte, half) = (DataType::UINT8, DataType::FLOAT16);
    let whole = [DataType::INT64, DataType::INT32, DataType::FLOAT];
    let pairs = whole.map(|to| (byte, to));
    let rten_pairs = pairs.to_vec();
    let more = [
        (half, DataType::INT64),
        (half, half),
        (byte, DataType::DOUBLE),
        (DataType::FLOAT, half),
    ];
    let ort_pairs = [&pairs[..], &more].concat();
    let cases = [(Some(rten()), rten_pairs), (onnx_runtime(), ort_pairs)];
    for (options, pairs) in cases {
        let Some(options) = options else {
            continue;
        };
        for (from, to) in pairs {
            let path = cast(from, to);
            let mut engine = engine(&path, &options);
            assert!(engine.inputs()[0].is_float && engine.outputs()[0].is_float);
            // The first run is copied, the second one planned.
            for _ in 0..2 {
                assert_eq!(engine.run(tensor), Ok(()), "{from} to {to}");
                assert_eq!(engine.output(0), Some(tensor), "{from} to {to}");
            }
            std::fs::remove_file(path).expect("removed");
        }
    }
}

#[test]
fn a_tensor_on_a_gpu_is_an_error_of_a_network_on_the_processor() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/shapes.onnx");
    let (shape, data) = ([1, 3, 320, 320], vec![0.0_f32; 3 * 320 * 320]);
    let there = DeviceTensor {
        shape: &shape,
        address: data.as_ptr().addr() as u64,
        bytes: size_of_val(&data[..]),
    };
    for options in [Some(rten()), onnx_runtime()].into_iter().flatten() {
        let mut engine = engine(&path, &options);
        assert_eq!(engine.device_input(), None);
        assert!(engine.run_on_device(there).is_err());
        let (shape, data) = (&shape[..], &data[..]);
        assert_eq!(engine.run(TensorRef { shape, data }), Ok(()));
        let half = DeviceTensor { bytes: 6, ..there };
        assert!(engine.run_on_device(half).is_err(), "as long as it says");
    }
}
