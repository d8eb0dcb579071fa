//! Follows the sizes of values through a graph.

use std::collections::HashMap;

use rten_onnx::onnx::{GraphProto, NodeProto, ValueInfoProto};

use super::operator::Node;
use super::value::Value;
use super::{FREE_SIDE, sizes};

/// Deeper than any model's branches and loops lie in each other.
const DEEPEST: usize = 16;

/// Longer than any vector of a network that sees; rten notes each number of a vector by itself, in 32 bytes.
const LONGEST: u64 = 1 << 25;

/// What is known of the values so far, by name.
pub(super) type Values<'a> = HashMap<&'a str, Value>;

/// The error says which value of `graph` would take more than `limit` bytes at `batch` pictures.
pub(super) fn check(graph: &GraphProto, batch: u64, limit: u64) -> Result<(), String> {
    let mut values = Values::new();
    for input in &graph.input {
        let shape = sizes(input)
            .into_iter()
            .enumerate()
            .map(|(at, size)| size.unwrap_or(if at == 0 { batch } else { FREE_SIDE }));
        values.insert(name(input), Value::sized(shape.collect()));
    }
    follow(graph, values, limit, DEEPEST)
}

fn follow<'a>(
    graph: &'a GraphProto,
    mut values: Values<'a>,
    limit: u64,
    depth: usize,
) -> Result<(), String> {
    for tensor in &graph.initializer {
        let value = Value::of(tensor);
        refuse_larger(&value, limit, || "a weight".to_owned())?;
        values.insert(tensor.name.as_deref().unwrap_or_default(), value);
    }
    for info in graph
        .input
        .iter()
        .chain(&graph.output)
        .chain(&graph.value_info)
    {
        // A size that is free is at least one.
        let declared = sizes(info).into_iter().map(|size| size.unwrap_or(1));
        let declared = Value::sized(declared.collect());
        refuse_larger(&declared, limit, || format!("the value {}", name(info)))?;
    }
    for node in &graph.node {
        step(node, &mut values, limit)?;
        let inner = node
            .attribute
            .iter()
            .filter_map(|attribute| attribute.g.as_ref());
        for graph in inner {
            let deeper = depth
                .checked_sub(1)
                .ok_or("its graphs lie too deep in each other")?;
            follow(graph, values.clone(), limit, deeper)?;
        }
    }
    Ok(())
}

fn step<'a>(node: &'a NodeProto, values: &mut Values<'a>, limit: u64) -> Result<(), String> {
    let inputs = node.input.iter().map(|name| values.get(name.as_str()));
    let outputs = Node::new(node, inputs.collect()).outputs();
    let kind = || {
        let kind = node.op_type.as_deref().unwrap_or_default();
        format!(
            "an output of {kind} {}",
            node.name.as_deref().unwrap_or_default()
        )
    };
    for (name, value) in node.output.iter().zip(outputs) {
        refuse_larger(&value, limit, kind)?;
        values.insert(name, value);
    }
    Ok(())
}

fn refuse_larger(value: &Value, limit: u64, what: impl Fn() -> String) -> Result<(), String> {
    let shape = value.shape.as_deref().unwrap_or_default();
    if let [length] = shape
        && *length > LONGEST
    {
        let what = what();
        return Err(format!(
            "{what} is {length} numbers long, more than {LONGEST}"
        ));
    }
    if value.bytes() <= u128::from(limit) {
        return Ok(());
    }
    let (what, limit) = (what(), limit / 1_000_000);
    Err(format!(
        "{what} is {shape:?}, more than {limit} MB, half of this machine's memory"
    ))
}

fn name(info: &ValueInfoProto) -> &str {
    info.name.as_deref().unwrap_or_default()
}
