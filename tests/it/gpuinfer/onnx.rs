//! Tiny .onnx files, written byte by byte (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3>): detectors whose
//! answer the test decides.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// Side of the input of [`detector`].
pub const SIDE: usize = 64;
/// Cells of strides 8, 16 and 32 in such an input.
const ANCHORS: usize = 84;

/// Side of the matrices of [`slow_detector`].
const WORK: usize = 1024;

const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// A YOLOv8 model with two classes that finds in every picture the `objects`: centre, size and both scores.
pub fn detector(objects: &[[f32; 6]]) -> PathBuf {
    detector_of(objects, 0.0)
}

/// As [`detector`], but it fails on pictures whose mean brightness (0..1) is above three quarters.
pub fn detector_afraid_of_light(objects: &[[f32; 6]]) -> PathBuf {
    detector_of(objects, 1.34)
}

/// As [`detector`], but so much work that it takes a hundred milliseconds and more for each of `rounds`.
pub fn slow_detector(objects: &[[f32; 6]], rounds: usize) -> PathBuf {
    let side = SIDE as u64;
    let (input, output) = ([1, 3, side, side], [1, 6, ANCHORS as u64]);
    // (numbers + the mean of the picture) x numbers x ..., of which nothing is added.
    let mut graph = vec![
        node("ReduceMean", &["images"], "mean", &[("keepdims", 0)]),
        node("Add", &["weights", "mean"], "product0", &[]),
    ];
    for round in 0..rounds {
        let (before, after) = (format!("product{round}"), format!("product{}", round + 1));
        graph.push(node("MatMul", &[&before, "weights"], &after, &[]));
    }
    let last = format!("product{rounds}");
    let weights = vec![1e-6; WORK * WORK];
    let work = [WORK as u64, WORK as u64];
    graph.extend([
        node("ReduceMean", &[&last], "end", &[("keepdims", 0)]),
        node("Mul", &["end", "nought"], "nothing", &[]),
        node("Add", &["numbers", "nothing"], "output0", &[]),
        field(2, b"test"),
        field(5, &tensor("numbers", &output, &numbers_of(objects))),
        field(5, &tensor("weights", &work, &weights)),
        field(5, &tensor("nought", &[], &[0.0])),
        field(11, &value_info("images", &input)),
        field(12, &value_info("output0", &output)),
    ]);
    write_model(&of_graph(&graph.concat()))
}

/// A YOLOv8 model with two classes that finds in every picture one object of the first, 8 by 8 in its input, in the
/// middle of its height and the further right the brighter the picture is: from 12 to 52. `batch`: how many pictures
/// it takes at once, any number where there is none.
pub fn light_meter(batch: Option<u64>) -> PathBuf {
    let side = SIDE as u64;
    let shape = |rest: &[u64]| [&[batch.unwrap_or(0)], rest].concat();
    let one = [1, 6, ANCHORS as u64];
    let object = [[12.0, 32.0, 8.0, 8.0, 0.9, 0.0]];
    let mut factors = vec![0.0; 6 * ANCHORS];
    factors[0] = 40.0;
    let graph = [
        node_with_axes("ReduceMean", "images", "mean", &[1, 2, 3]),
        node("Reshape", &["mean", "column"], "means", &[]),
        node("Mul", &["means", "factors"], "shift", &[]),
        node("Add", &["numbers", "shift"], "output0", &[]),
        field(2, b"test"),
        field(5, &tensor("numbers", &one, &numbers_of(&object))),
        field(5, &tensor("factors", &one, &factors)),
        field(5, &whole_numbers("column", &[-1, 1, 1])),
        field(11, &value_info("images", &shape(&[3, side, side]))),
        field(12, &value_info("output0", &shape(&one[1..]))),
    ];
    write_model(&of_graph(&graph.concat()))
}

/// A model that gives an output of this shape, filled with `value`.
pub fn constant(input: &[u64], output: &[u64], value: f32) -> PathBuf {
    let numbers = vec![value; output.iter().product::<u64>() as usize];
    write_model(&model(input, output, &numbers, 0.0))
}

fn detector_of(objects: &[[f32; 6]], factor: f32) -> PathBuf {
    let numbers = numbers_of(objects);
    let side = SIDE as u64;
    write_model(&model(
        &[1, 3, side, side],
        &[1, 6, ANCHORS as u64],
        &numbers,
        factor,
    ))
}

fn numbers_of(objects: &[[f32; 6]]) -> Vec<f32> {
    let mut numbers = vec![0.0; 6 * ANCHORS];
    for (cell, object) in objects.iter().enumerate() {
        for (row, number) in object.iter().enumerate() {
            numbers[row * ANCHORS + cell] = *number;
        }
    }
    numbers
}

/// An output: its name, shape and numbers.
pub struct Output {
    pub name: &'static str,
    pub shape: Vec<u64>,
    pub numbers: Vec<f32>,
}

/// A model that gives these outputs for every picture.
pub fn outputs(input: &[u64], outputs: &[Output]) -> PathBuf {
    write_model(&model_of(input, outputs, 0.0))
}

fn model(input: &[u64], output: &[u64], numbers: &[f32], factor: f32) -> Vec<u8> {
    let output = Output {
        name: "output0",
        shape: output.to_vec(),
        numbers: numbers.to_vec(),
    };
    model_of(input, &[output], factor)
}

/// Each output = its numbers + [0][mean of the picture x factor, rounded down]: an index of 1 is beyond the end.
fn model_of(input: &[u64], outputs: &[Output], factor: f32) -> Vec<u8> {
    let mut graph = vec![
        node("ReduceMean", &["images"], "mean", &[("keepdims", 0)]),
        node("Mul", &["mean", "factor"], "scaled", &[]),
        node("Cast", &["scaled"], "index", &[("to", INT64)]),
        node("Gather", &["nought", "index"], "nothing", &[("axis", 0)]),
    ];
    for output in outputs {
        let numbers = format!("numbers of {}", output.name);
        graph.push(node("Add", &[&numbers, "nothing"], output.name, &[]));
    }
    graph.push(field(2, b"test"));
    for output in outputs {
        let numbers = format!("numbers of {}", output.name);
        graph.push(field(5, &tensor(&numbers, &output.shape, &output.numbers)));
    }
    graph.push(field(5, &tensor("factor", &[], &[factor])));
    graph.push(field(5, &tensor("nought", &[1], &[0.0])));
    graph.push(field(11, &value_info("images", input)));
    for output in outputs {
        graph.push(field(12, &value_info(output.name, &output.shape)));
    }
    of_graph(&graph.concat())
}

pub fn of_graph(graph: &[u8]) -> Vec<u8> {
    let opset = field(8, &varint(2, 13));
    [varint(1, 8), opset, field(7, graph)].concat()
}

/// As [`detector`], with its numbers in a file of this name beside it, which is not written here; and those numbers.
pub fn detector_with_weights_in(file: &str, objects: &[[f32; 6]]) -> (PathBuf, Vec<u8>) {
    let side = SIDE as u64;
    let output = [1, 6, ANCHORS as u64];
    let mut weights: Vec<u8> = output.iter().flat_map(|size| varint(1, *size)).collect();
    weights.extend(varint(2, FLOAT));
    weights.extend(field(8, b"numbers"));
    let length = (6 * ANCHORS * size_of::<f32>()).to_string();
    for (key, value) in [("location", file), ("offset", "0"), ("length", &length)] {
        let entry = [field(1, key.as_bytes()), field(2, value.as_bytes())];
        weights.extend(field(13, &entry.concat()));
    }
    // EXTERNAL.
    weights.extend(varint(14, 1));
    let graph = [
        node("ReduceMean", &["images"], "mean", &[("keepdims", 0)]),
        node("Mul", &["mean", "nought"], "nothing", &[]),
        node("Add", &["numbers", "nothing"], "output0", &[]),
        field(2, b"test"),
        field(5, &weights),
        field(5, &tensor("nought", &[], &[0.0])),
        field(11, &value_info("images", &[1, 3, side, side])),
        field(12, &value_info("output0", &output)),
    ];
    let numbers = numbers_of(objects);
    let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
    (write_model(&of_graph(&graph.concat())), numbers.collect())
}

/// A model of one operator, in this version of ONNX's set of operators.
pub fn with_operator(kind: &str, opset: u64) -> Vec<u8> {
    let graph = [
        node(kind, &["images"], "output0", &[]),
        field(2, b"test"),
        field(11, &value_info("images", &[1, 3, 64, 64])),
        field(12, &value_info("output0", &[1, 12288])),
    ];
    let opset = field(8, &varint(2, opset));
    [varint(1, 8), opset, field(7, &graph.concat())].concat()
}

pub fn node(kind: &str, inputs: &[&str], output: &str, attributes: &[(&str, u64)]) -> Vec<u8> {
    let mut bytes: Vec<u8> = inputs
        .iter()
        .flat_map(|name| field(1, name.as_bytes()))
        .collect();
    bytes.extend(field(2, output.as_bytes()));
    bytes.extend(field(3, output.as_bytes()));
    bytes.extend(field(4, kind.as_bytes()));
    for (name, value) in attributes {
        let whole_number = varint(20, 2);
        let attribute = [field(1, name.as_bytes()), varint(3, *value), whole_number];
        bytes.extend(field(5, &attribute.concat()));
    }
    field(1, &bytes)
}

pub fn tensor(name: &str, shape: &[u64], numbers: &[f32]) -> Vec<u8> {
    let mut bytes: Vec<u8> = shape.iter().flat_map(|size| varint(1, *size)).collect();
    bytes.extend(varint(2, FLOAT));
    bytes.extend(field(8, name.as_bytes()));
    let raw: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    bytes.extend(field(9, &raw));
    bytes
}

pub fn whole_numbers(name: &str, numbers: &[i64]) -> Vec<u8> {
    let mut bytes = varint(1, numbers.len() as u64);
    bytes.extend(varint(2, INT64));
    bytes.extend(field(8, name.as_bytes()));
    let raw = numbers.iter().flat_map(|number| number.to_le_bytes());
    bytes.extend(field(9, &raw.collect::<Vec<u8>>()));
    bytes
}

pub fn node_with_axes(kind: &str, input: &str, output: &str, axes: &[u64]) -> Vec<u8> {
    let mut bytes = [
        field(1, input.as_bytes()),
        field(2, output.as_bytes()),
        field(3, output.as_bytes()),
        field(4, kind.as_bytes()),
    ]
    .concat();
    let mut list = field(1, b"axes");
    list.extend(axes.iter().flat_map(|axis| varint(8, *axis)));
    list.extend(varint(20, 7));
    bytes.extend(field(5, &list));
    field(1, &bytes)
}

pub fn value_info(name: &str, shape: &[u64]) -> Vec<u8> {
    let sizes: Vec<u8> = shape
        .iter()
        .flat_map(|size| match size {
            0 => field(1, &field(2, b"N")),
            size => field(1, &varint(1, *size)),
        })
        .collect();
    let tensor = [varint(1, FLOAT), field(2, &sizes)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

pub fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [
        bare(number << 3 | 2),
        bare(bytes.len() as u64),
        bytes.to_vec(),
    ]
    .concat()
}

fn varint(number: u64, value: u64) -> Vec<u8> {
    [bare(number << 3), bare(value)].concat()
}

fn bare(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A new file `*.onnx` with these bytes.
pub fn write_model(bytes: &[u8]) -> PathBuf {
    let path = write(bytes);
    let named = path.with_extension("onnx");
    std::fs::rename(path, &named).unwrap();
    named
}

/// A new file with these bytes.
pub fn write(bytes: &[u8]) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("gpuinfer-{}-{number}", std::process::id());
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}
