//! A look at a model before an engine acts on it: how large its tensors will be.
//!
//! An .onnx file of a hundred bytes can ask for a tensor of terabytes. ONNX Runtime says that it cannot have that; rten
//! takes memory as Rust does, and a process that asks for too much ends. So the sizes of all values are worked out
//! from the sizes of the input, as far as they do not depend on the picture, and what is too large is refused.

mod envelope;
mod graph;
mod numbers;
mod operator;
mod shapes;
mod value;

use std::fs::File;
use std::io::Seek;
use std::path::Path;

use rten_onnx::onnx::{ModelProto, ValueInfoProto};

use super::EngineError;
use super::machine;

/// Side of a picture where the model leaves it open: what Ultralytics exports by default, and what a detector takes.
const FREE_SIDE: u64 = 640;

/// What a file says of the model in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// Name and shape of each input that is no weight; `None` where any size is allowed.
    pub(super) inputs: Vec<(String, Vec<Option<u64>>)>,
    /// Whether it computes with whole numbers somewhere.
    pub(super) is_quantised: bool,
}

/// Looks at the file `path`, to be run with batches up to `batch`; `None` for what cannot be read here.
pub(super) fn survey(path: &Path, batch: u32) -> Result<Option<Survey>, EngineError> {
    let refuse = |why: String| EngineError::new(format!("it is not safe to run: {why}"));
    let mut file = File::open(path).map_err(EngineError::new)?;
    let length = file.metadata().map_err(EngineError::new)?.len();
    if !envelope::is_whole(&mut file, length).map_err(EngineError::new)? {
        return Err(EngineError::new("it is broken, or ends before it should"));
    }
    file.rewind().map_err(EngineError::new)?;
    let Ok(model) = ModelProto::parse_file(file) else {
        return Ok(None);
    };
    let Some(proto) = &model.graph else {
        return Ok(None);
    };
    let limit = machine::memory() / 2;
    graph::check(proto, u64::from(batch.max(1)), limit).map_err(refuse)?;
    let weights: Vec<_> = proto
        .initializer
        .iter()
        .map(|tensor| &tensor.name)
        .collect();
    let inputs = proto
        .input
        .iter()
        .filter(|input| !weights.contains(&&input.name));
    let kinds = proto.node.iter().filter_map(|node| node.op_type.as_deref());
    Ok(Some(Survey {
        inputs: inputs
            .map(|input| (input.name.clone().unwrap_or_default(), sizes(input)))
            .collect(),
        is_quantised: kinds.into_iter().any(is_of_quantisation),
    }))
}

fn is_of_quantisation(kind: &str) -> bool {
    kind.starts_with("QLinear")
        || matches!(
            kind,
            "QuantizeLinear"
                | "DequantizeLinear"
                | "DynamicQuantizeLinear"
                | "ConvInteger"
                | "MatMulInteger"
        )
}

/// The declared sizes of `info`.
fn sizes(info: &ValueInfoProto) -> Vec<Option<u64>> {
    let kind = info
        .r#type
        .as_ref()
        .and_then(|kind| kind.tensor_type.as_ref());
    let shape = kind.and_then(|kind| kind.shape.as_ref());
    let sizes = shape.iter().flat_map(|shape| &shape.dim);
    sizes
        .map(|size| {
            size.dim_value
                .and_then(|size| u64::try_from(size).ok())
                .filter(|size| *size > 0)
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests;
