//! Files that ask for more than there is.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rten_onnx::onnx::{
    AttributeProto, DataType, Dimension, GraphProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, TypeProtoTensor,
};

use super::*;
use crate::gpuinfer::engine::{Backend, Device, EngineOptions, Fallback, Fault, open};

fn info(name: &str, sizes: &[i64]) -> ValueInfoProto {
    let dim = sizes.iter().map(|size| Dimension {
        dim_value: (*size > 0).then_some(*size),
        dim_param: (*size <= 0).then(|| "N".to_owned()),
    });
    let tensor = TypeProtoTensor {
        elem_type: Some(DataType::FLOAT),
        shape: Some(TensorShapeProto { dim: dim.collect() }),
    };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto {
            tensor_type: Some(tensor),
            ..TypeProto::default()
        }),
    }
}

pub(in crate::gpuinfer::engine) fn node(kind: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: Some(kind.to_owned()),
        name: Some(output.to_owned()),
        input: inputs.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

fn with_ints(mut node: NodeProto, name: &str, ints: &[i64]) -> NodeProto {
    node.attribute.push(AttributeProto {
        name: Some(name.to_owned()),
        ints: ints.to_vec(),
        ..AttributeProto::default()
    });
    node
}

fn whole_numbers(name: &str, numbers: &[i64]) -> TensorProto {
    TensorProto {
        name: Some(name.to_owned()),
        dims: vec![numbers.len() as i64],
        data_type: Some(DataType::INT64),
        int64_data: numbers.to_vec(),
        ..TensorProto::default()
    }
}

fn floats(name: &str, dims: &[i64], numbers: &[f32]) -> TensorProto {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
    TensorProto {
        name: Some(name.to_owned()),
        dims: dims.to_vec(),
        data_type: Some(DataType::FLOAT),
        raw_data: Some(RefCell::new(bytes.collect())),
        ..TensorProto::default()
    }
}

/// images [N,3,64,64] go in, the value `output` comes out.
pub(in crate::gpuinfer::engine) fn model(
    node: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
    output: &str,
) -> ModelProto {
    let graph = GraphProto {
        node,
        initializer,
        input: vec![info("images", &[0, 3, 64, 64])],
        output: vec![info(output, &[])],
        ..GraphProto::default()
    };
    ModelProto {
        ir_version: Some(8),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: None,
            version: Some(13),
        }],
        ..ModelProto::default()
    }
}

pub(in crate::gpuinfer::engine) fn file(bytes: &[u8]) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("livetune-survey-{}-{number}.onnx", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, bytes).expect("written");
    path
}

/// What the engine built in says of `model`, which would end the process if it were run.
fn refusal(model: &ModelProto) -> String {
    gst::init().expect("GStreamer starts");
    let path = file(&model.write_buf().expect("encoded"));
    let options = EngineOptions {
        backend: Backend::Rten,
        ..EngineOptions::default()
    };
    let refused = open(&path, &options).err().expect("refused");
    fs::remove_file(path).expect("removed");
    assert_eq!(refused.fault, Fault::Model);
    refused.text
}

fn survey_of(model: &ModelProto, batch: u32) -> Result<Option<Survey>, EngineError> {
    let path = file(&model.write_buf().expect("encoded"));
    let seen = survey(&path, batch);
    fs::remove_file(path).expect("removed");
    seen
}

/// A terabyte and more.
const HUGE: [i64; 3] = [1 << 14, 1 << 14, 1 << 14];

/// Nodes that ask for too much, with their weights: by an input that says how much.
fn greedy_by_input() -> Vec<(NodeProto, Vec<TensorProto>)> {
    let scales = floats("scales", &[4], &[1.0, 1.0, 1e5, 1e5]);
    let one = floats("one", &[1, 1, 1], &[1.0]);
    let shape = whole_numbers("shape", &HUGE);
    let sizes = whole_numbers("sizes", &[1, 3, 1 << 20, 1 << 20]);
    let pads = whole_numbers("pads", &[0, 0, 1 << 20, 1 << 20, 0, 0, 0, 0]);
    let number = |name, number| floats(name, &[], &[number]);
    let range = ["zero", "many", "step"];
    let both = vec![one, shape.clone()];
    vec![
        (node("ConstantOfShape", &["shape"], "out"), vec![shape]),
        (node("Expand", &["one", "shape"], "out"), both.clone()),
        (node("Tile", &["one", "shape"], "out"), both),
        (
            node("Resize", &["images", "", "scales"], "out"),
            vec![scales.clone()],
        ),
        (
            node("Resize", &["images", "", "", "sizes"], "out"),
            vec![sizes],
        ),
        (node("Upsample", &["images", "scales"], "out"), vec![scales]),
        (node("Pad", &["images", "pads"], "out"), vec![pads]),
        (
            node("Range", &range, "out"),
            vec![
                number("zero", 0.0),
                number("many", 2e9),
                number("step", 1.0),
            ],
        ),
    ]
}

/// The same by an attribute.
fn greedy_by_attribute() -> Vec<(NodeProto, Vec<TensorProto>)> {
    let weights = |dims| vec![floats("weights", dims, &[1.0; 3])];
    let pads = [1 << 20; 4];
    let pool = with_ints(node("MaxPool", &["images"], "out"), "kernel_shape", &[1, 1]);
    let operands = ["images", "weights"];
    let back = node("ConvTranspose", &operands, "out");
    vec![
        (
            with_ints(node("Conv", &operands, "out"), "pads", &pads),
            weights(&[1, 3, 1, 1]),
        ),
        (with_ints(pool, "pads", &pads), Vec::new()),
        (
            with_ints(back, "strides", &[1 << 16; 2]),
            weights(&[3, 1, 1, 1]),
        ),
    ]
}

#[test]
fn sizes_that_the_file_asks_for_are_refused() {
    for (node, weights) in greedy_by_input().into_iter().chain(greedy_by_attribute()) {
        let kind = node.op_type.clone().unwrap_or_default();
        let text = refusal(&model(vec![node], weights, "out"));
        assert!(
            text.contains("not safe to run") && text.contains(&kind),
            "{text}"
        );
    }
}

#[test]
fn small_weights_that_make_large_products_are_refused() {
    let side = 1 << 19;
    let numbers = vec![1.0; side as usize];
    let (row, column) = (
        floats("row", &[1, side], &numbers),
        floats("column", &[side, 1], &numbers),
    );
    let weights = || vec![row.clone(), column.clone()];
    let text = refusal(&model(
        vec![node("Add", &["row", "column"], "out")],
        weights(),
        "out",
    ));
    assert!(text.contains("Add out is [524288, 524288]"), "{text}");
    let text = refusal(&model(
        vec![node("MatMul", &["column", "row"], "out")],
        weights(),
        "out",
    ));
    assert!(text.contains("MatMul"), "{text}");
}

#[test]
fn sizes_that_the_graph_works_out_are_refused() {
    let nodes = vec![
        node("Shape", &["images"], "sizes"),
        node("Mul", &["sizes", "factor"], "larger"),
        node("Gather", &["larger", "places"], "chosen"),
        node("Concat", &["chosen", "chosen"], "shape"),
        node("ConstantOfShape", &["shape"], "out"),
    ];
    let weights = vec![
        whole_numbers("factor", &[10_000]),
        whole_numbers("places", &[2, 3]),
    ];
    let text = refusal(&model(nodes, weights, "out"));
    assert!(text.contains("[640000, 640000, 640000, 640000]"), "{text}");
}

#[test]
fn what_is_declared_and_not_there_is_refused() {
    let mut weight = floats("weight", &[1 << 20, 1 << 20], &[1.0]);
    let text = refusal(&model(
        vec![node("Add", &["images", "weight"], "out")],
        vec![weight.clone()],
        "out",
    ));
    assert!(text.contains("a weight is [1048576, 1048576]"), "{text}");
    weight.dims = vec![i64::MAX, i64::MAX, i64::MAX];
    let text = refusal(&model(
        vec![node("Add", &["images", "weight"], "out")],
        vec![weight],
        "out",
    ));
    assert!(text.contains("a weight"), "{text}");
    let mut declared = model(vec![node("Relu", &["images"], "out")], Vec::new(), "out");
    declared.graph.iter_mut().for_each(|graph| {
        graph.value_info.push(info("out", &[1 << 30, 1 << 30]));
    });
    assert!(refusal(&declared).contains("the value out"));
}

#[test]
fn a_branch_is_looked_into() {
    let inner = GraphProto {
        node: vec![node("ConstantOfShape", &["shape"], "inside")],
        output: vec![info("inside", &[])],
        ..GraphProto::default()
    };
    let mut branch = node("If", &["condition"], "out");
    branch.attribute.push(AttributeProto {
        name: Some("then_branch".to_owned()),
        g: Some(inner),
        ..AttributeProto::default()
    });
    let text = refusal(&model(
        vec![branch],
        vec![whole_numbers("shape", &HUGE)],
        "out",
    ));
    assert!(text.contains("ConstantOfShape inside"), "{text}");
}

#[test]
fn lengths_beyond_the_end_of_the_file_are_refused() {
    gst::init().expect("GStreamer starts");
    // graph { initializer { raw_data: a terabyte } }, all three with a length to match.
    let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
    let bytes = [
        &[0x3a][..],
        &huge,
        &[0x2a],
        &huge,
        &[0x4a],
        &huge,
        &[1, 2, 3],
    ]
    .concat();
    let path = file(&bytes);
    let options = EngineOptions {
        backend: Backend::Rten,
        ..EngineOptions::default()
    };
    let refused = open(&path, &options).err().expect("refused");
    fs::remove_file(path).expect("removed");
    assert_eq!(refused.text, "it is broken, or ends before it should");
}

#[test]
fn a_batch_counts() {
    let half = with_ints(
        node("Conv", &["images", "weights"], "out"),
        "pads",
        &[1 << 11; 4],
    );
    let network = model(
        vec![half],
        vec![floats("weights", &[8, 3, 1, 1], &[1.0; 24])],
        "out",
    );
    // 8 channels of 4160 by 4160: half a gigabyte for a picture.
    assert!(survey_of(&network, 1).is_ok());
    let why = survey_of(&network, 100_000).expect_err("refused").text;
    assert!(why.contains("[100000, 8, 4160, 4160]"), "{why}");
    // What another device could do does not count where the processor works.
    gst::init().expect("GStreamer starts");
    let path = file(&network.write_buf().expect("encoded"));
    let mut options = EngineOptions {
        backend: Backend::Rten,
        max_batch: 100_000,
        ..EngineOptions::default()
    };
    assert!(open(&path, &options).is_ok());
    options.device = Device::Cuda;
    options.fallback = Fallback::Cpu;
    let opened = open(&path, &options).expect("on the processor");
    assert_eq!(opened.warnings.len(), 1, "{:?}", opened.warnings);
    options.processor_batch = 100_000;
    let refused = open(&path, &options).err().expect("refused");
    assert_eq!(refused.fault, Fault::Model);
    fs::remove_file(path).expect("removed");
}

#[test]
fn inputs_are_told_apart_from_weights() {
    let mut network = model(
        vec![node("QuantizeLinear", &["images", "scale"], "out")],
        vec![floats("scale", &[], &[0.1])],
        "out",
    );
    network
        .graph
        .iter_mut()
        .for_each(|graph| graph.input.push(info("scale", &[])));
    let seen = survey_of(&network, 1).expect("harmless").expect("read");
    let inputs = vec![("images".to_owned(), vec![None, Some(3), Some(64), Some(64)])];
    assert_eq!(seen.inputs, inputs);
    assert!(seen.is_quantised);
}

/// Any byte may be any other: the look itself must survive, whatever it says.
#[test]
fn bytes_that_flip_do_no_harm() {
    let nodes = vec![
        with_ints(node("Conv", &["images", "weights"], "a"), "pads", &[1; 4]),
        node("Shape", &["a"], "sizes"),
        node("Slice", &["sizes", "first", "last"], "part"),
        with_ints(node("Transpose", &["a"], "b"), "perm", &[0, 2, 3, 1]),
        node("Reshape", &["b", "part"], "c"),
        node("Concat", &["c", "c"], "out"),
    ];
    let weights = vec![
        floats("weights", &[2, 3, 3, 3], &[1.0; 54]),
        whole_numbers("first", &[0]),
        whole_numbers("last", &[-1]),
    ];
    let whole = model(nodes, weights, "out").write_buf().expect("encoded");
    let path = file(&whole);
    for at in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            fs::write(&path, bytes).expect("written");
            let _ = survey(&path, 1);
        }
    }
    fs::remove_file(path).expect("removed");
}
