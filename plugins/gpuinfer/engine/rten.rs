//! The engine built in: rten, on the processor.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rten::{
    DataType, Dimension, Model, ModelOptions, NodeId, RunOptions, ThreadPool, ValueOrView,
    ValueType, ValueView,
};
use rten_tensor::{Layout, Tensor};

use super::{Engine, EngineError, TensorInfo, TensorRef};

/// A model with the threads it runs on.
#[derive(Debug)]
pub(in crate::gpuinfer) struct RtenEngine {
    model: Model,
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    options: RunOptions,
    results: Vec<Option<(Vec<usize>, Vec<f32>)>>,
}

impl RtenEngine {
    /// Loads the .onnx file at `path`. `threads` 0: as many as rten finds right, one per physical core.
    pub(in crate::gpuinfer) fn load(path: &Path, threads: u32) -> Result<Self, EngineError> {
        let mut loader = ModelOptions::with_all_ops();
        // Packs the weights once instead of in every run.
        loader.prepack_weights(true);
        // rten tells files by their extension, and knows where those find weights that lie beside them.
        let is_named_so = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
        let model = if is_named_so {
            loader.load_file(path).map_err(said)?
        } else {
            loader.load(fs::read(path).map_err(said)?).map_err(said)?
        };
        // An empty file is a valid message of protobuf's.
        if model.input_ids().is_empty() || model.output_ids().is_empty() {
            return Err(EngineError("there is no network in it".to_owned()));
        }
        let pool = (threads > 0).then(|| Arc::new(ThreadPool::with_num_threads(threads as usize)));
        Ok(Self {
            inputs: infos(&model, model.input_ids()),
            outputs: infos(&model, model.output_ids()),
            options: RunOptions::default().with_thread_pool(pool),
            results: Vec::new(),
            model,
        })
    }
}

impl Engine for RtenEngine {
    fn inputs(&self) -> &[TensorInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorInfo] {
        &self.outputs
    }

    fn run(&mut self, tensor: TensorRef<'_>) -> Result<(), EngineError> {
        self.results.clear();
        let &[id] = self.model.input_ids() else {
            return Err(EngineError("it wants more than one input".to_owned()));
        };
        let view = ValueView::from_shape(tensor.shape, tensor.data).map_err(said)?;
        let inputs = vec![(id, ValueOrView::View(view))];
        let options = Some(self.options.clone());
        let values = self
            .model
            .run(inputs, self.model.output_ids(), options)
            .map_err(said)?;
        self.results.extend(values.into_iter().map(|value| {
            let tensor: Tensor<f32> = value.into_tensor()?;
            Some((tensor.shape().to_vec(), tensor.into_data()))
        }));
        Ok(())
    }

    fn output(&self, index: usize) -> Option<TensorRef<'_>> {
        let (shape, data) = self.results.get(index)?.as_ref()?;
        Some(TensorRef { shape, data })
    }
}

fn said(error: impl std::fmt::Display) -> EngineError {
    EngineError(error.to_string())
}

fn infos(model: &Model, ids: &[NodeId]) -> Vec<TensorInfo> {
    ids.iter()
        .filter_map(|id| model.node_info(*id))
        .map(|node| TensorInfo {
            name: node.name().unwrap_or_default().to_owned(),
            shape: node.shape().unwrap_or_default().iter().map(fixed).collect(),
            is_float: node
                .dtype()
                .is_none_or(|kind| kind == ValueType::Tensor(DataType::Float)),
        })
        .collect()
}

fn fixed(size: &Dimension) -> Option<usize> {
    match size {
        Dimension::Fixed(size) => Some(*size),
        Dimension::Symbolic(_) => None,
    }
}
