//! The engine built in: rten, on the processor.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rten::{
    DataType, Dimension, Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView,
    ValueType, ValueView,
};
use rten_tensor::{AsView, Layout, Tensor};

use super::{Engine, EngineError, Home, Seed, Stopper, TensorInfo, TensorRef, machine};

/// Its version, as Cargo.toml has it.
const VERSION: &str = "0.27";

/// Numbers that f32 is made into.
const GIVEN: [DataType; 2] = [DataType::Float, DataType::UInt8];
/// Numbers that are made into f32; rten has i64 as i32.
const TAKEN: [DataType; 4] = [
    DataType::Float,
    DataType::Int32,
    DataType::Int8,
    DataType::UInt8,
];

/// Pages that a run may take from the system before something is done about it; a run gives back what it takes.
const PAGES: u64 = 256;
/// Runs that are watched for it, the first one left out, as that has to take what it needs.
const WATCHED: std::ops::Range<u32> = 1..5;

/// A model with the threads it runs on.
pub(super) struct RtenEngine {
    network: Arc<Network>,
    pool: Arc<ThreadPool>,
    options: RunOptions,
    runs: u32,
    /// Pages that the allocator was told to keep.
    kept: u64,
    stopper: Stopper,
    /// The input as the model wants it, where that is not f32.
    bytes: Vec<u8>,
    results: Vec<Option<(Vec<usize>, Vec<f32>)>>,
}

/// What engines for several threads share.
#[derive(Debug)]
struct Network {
    model: Model,
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    input: Input,
}

/// The numbers of the only input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Float,
    Byte,
    None,
}

impl RtenEngine {
    /// Loads the .onnx file at `path`. `threads` 0: as many as rten finds right, one per physical core.
    pub(super) fn load(path: &Path, threads: u32) -> Result<Self, EngineError> {
        let mut loader = ModelOptions::with_all_ops();
        // Packs the weights once instead of in every run.
        loader.prepack_weights(true);
        // rten tells files by their extension, and knows where those find weights that lie beside them.
        let is_named_so = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
        let model = if is_named_so {
            loader.load_file(path).map_err(EngineError::new)?
        } else {
            let bytes = fs::read(path).map_err(EngineError::new)?;
            loader.load(bytes).map_err(EngineError::new)?
        };
        // An empty file is a valid message of protobuf's.
        if model.input_ids().is_empty() || model.output_ids().is_empty() {
            return Err(EngineError::new("there is no network in it"));
        }
        let network = Network {
            inputs: infos(&model, model.input_ids(), &GIVEN),
            outputs: infos(&model, model.output_ids(), &TAKEN),
            input: input(&model),
            model,
        };
        Ok(Self::of(Arc::new(network), threads))
    }

    fn of(network: Arc<Network>, threads: u32) -> Self {
        let threads = machine::threads(threads);
        let pool = Arc::new(ThreadPool::with_num_threads(threads));
        Self {
            network,
            options: RunOptions::default().with_thread_pool(Some(pool.clone())),
            pool,
            runs: 0,
            kept: 0,
            stopper: Stopper::default(),
            bytes: Vec::new(),
            results: Vec::new(),
        }
    }

    /// What runs, for the user.
    pub(super) fn title() -> String {
        format!("rten {VERSION}, CPU")
    }

    /// Runs the model. What the allocator hands back to the system at the end of a run is taken again, page by page, by
    /// the next one, which takes longer than many a layer: it is made to keep it.
    fn run_model(&mut self, input: ValueView<'_>, id: NodeId) -> Result<(), EngineError> {
        let model = &self.network.model;
        let is_watched = WATCHED.contains(&self.runs);
        self.runs = self.runs.saturating_add(1);
        let inputs = vec![(id, ValueOrView::View(input))];
        let options = Some(self.options.clone());
        let (values, pages) = self.pool.run(|| {
            let before = machine::pages();
            let values = model.run(inputs, model.output_ids(), options);
            (values, machine::pages().saturating_sub(before))
        });
        self.results
            .extend(values.map_err(EngineError::new)?.into_iter().map(numbers));
        if is_watched && pages > PAGES {
            // Other threads take some, too.
            self.kept = pages.max(self.kept) * 5 / 4;
            machine::keep(self.kept);
        }
        Ok(())
    }
}

impl Engine for RtenEngine {
    fn inputs(&self) -> &[TensorInfo] {
        &self.network.inputs
    }

    fn outputs(&self) -> &[TensorInfo] {
        &self.network.outputs
    }

    fn run(&mut self, tensor: TensorRef<'_>) -> Result<(), EngineError> {
        self.results.clear();
        if self.stopper.is_stopped() {
            return Err(EngineError::stopped());
        }
        let network = self.network.clone();
        let &[id] = network.model.input_ids() else {
            return Err(EngineError::new("it wants more than one input"));
        };
        let mut bytes = std::mem::take(&mut self.bytes);
        let view = match network.input {
            Input::Float => {
                ValueView::from_shape(tensor.shape, tensor.data).map_err(EngineError::new)
            }
            Input::Byte => {
                bytes.clear();
                bytes.extend(tensor.data.iter().map(|number| number.round() as u8));
                ValueView::from_shape(tensor.shape, &bytes[..]).map_err(EngineError::new)
            }
            Input::None => return Err(EngineError::new("its input is no tensor of numbers")),
        };
        let ran = view.and_then(|view| self.run_model(view, id));
        self.bytes = bytes;
        ran
    }

    fn output(&self, index: usize) -> Option<TensorRef<'_>> {
        let (shape, data) = self.results.get(index)?.as_ref()?;
        Some(TensorRef { shape, data })
    }

    fn seed(&self) -> Option<Box<dyn Seed>> {
        Some(Box::new(self.network.clone()))
    }

    fn home(&self) -> Home {
        Home::in_pool(self.pool.clone())
    }

    fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }
}

impl Seed for Arc<Network> {
    fn grow(&self, threads: u32) -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(RtenEngine::of(self.clone(), threads)))
    }
}

/// The shape and the numbers of `value`, where it has any.
fn numbers(value: Value) -> Option<(Vec<usize>, Vec<f32>)> {
    fn convert<T: Copy>(tensor: &Tensor<T>, number: fn(T) -> f32) -> (Vec<usize>, Vec<f32>) {
        let numbers = tensor.iter().map(|value| number(*value)).collect();
        (tensor.shape().to_vec(), numbers)
    }
    match value {
        Value::FloatTensor(tensor) => Some((tensor.shape().to_vec(), tensor.into_data())),
        Value::Int32Tensor(tensor) => Some(convert(&tensor, |value| value as f32)),
        Value::UInt8Tensor(tensor) => Some(convert(&tensor, f32::from)),
        Value::Int8Tensor(tensor) => Some(convert(&tensor, f32::from)),
        _ => None,
    }
}

fn input(model: &Model) -> Input {
    let [id] = model.input_ids() else {
        return Input::None;
    };
    match model.node_info(*id).and_then(|node| node.dtype()) {
        None | Some(ValueType::Tensor(DataType::Float)) => Input::Float,
        Some(ValueType::Tensor(DataType::UInt8)) => Input::Byte,
        Some(_) => Input::None,
    }
}

/// What the values `ids` are; f32 can be made of numbers of these `kinds`.
fn infos(model: &Model, ids: &[NodeId], kinds: &[DataType]) -> Vec<TensorInfo> {
    let is_known = |kind| matches!(kind, ValueType::Tensor(kind) if kinds.contains(&kind));
    ids.iter()
        .filter_map(|id| model.node_info(*id))
        .map(|node| TensorInfo {
            name: node.name().unwrap_or_default().to_owned(),
            shape: node.shape().unwrap_or_default().iter().map(fixed).collect(),
            is_float: node.dtype().is_none_or(is_known),
        })
        .collect()
}

fn fixed(size: &Dimension) -> Option<usize> {
    match size {
        Dimension::Fixed(size) => Some(*size),
        Dimension::Symbolic(_) => None,
    }
}
