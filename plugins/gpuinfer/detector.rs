//! A model with all that turns a frame into objects: what comes before the network, the network, what comes after.

use livetune_core::infer::{Decoder, Detection, Head, SUPPORTED, Size, Stages, Thresholds};

use super::engine::{Engine, EngineError, TensorInfo, TensorRef};
use super::picture::Picture;
use super::preprocess::Preprocessor;
use crate::runtime::clock;
use crate::runtime::guard::guard;

/// Side of the input where the model leaves it open; what Ultralytics exports by default.
const FREE_SIDE: usize = 640;
/// The longest side of an input: 4096 by 4096 is 200 MB of tensor, and no detector in use comes near it.
const LONGEST_SIDE: usize = 4096;

/// Finds objects with one model.
pub(super) struct Detector {
    engine: Box<dyn Engine>,
    preprocessor: Preprocessor,
    decoder: Decoder,
}

impl Detector {
    /// Looks at what `engine` takes and gives, and runs it once on grey, which warms it up as well. The error is a
    /// sentence that says what is not understood.
    pub(super) fn new(mut engine: Box<dyn Engine>) -> Result<Self, String> {
        let size = input_size(engine.inputs()).map_err(|why| explain(&*engine, &why))?;
        let shape = [1, 3, size.height as usize, size.width as usize];
        let grey = vec![0.5; shape.iter().product()];
        let (shape, data) = (&shape[..], &grey[..]);
        if let Err(error) = run(&mut *engine, TensorRef { shape, data }) {
            return Err(format!("it does not run: {error}"));
        }
        let mut shapes = (0..engine.outputs().len()).map(|index| engine.output(index));
        let head = match (shapes.next(), shapes.next()) {
            (Some(Some(output)), None) => Head::from_output_shape(output.shape, size),
            _ => None,
        };
        let Some(head) = head else {
            let why = format!("the meaning of its output is not known; supported: {SUPPORTED}");
            return Err(explain(&*engine, &why));
        };
        Ok(Self {
            preprocessor: Preprocessor::new(size, head.placement(), head.normalisation()),
            decoder: Decoder::new(head),
            engine,
        })
    }

    /// Classes that the model tells apart.
    pub(super) fn classes(&self) -> usize {
        self.decoder.head().classes()
    }

    /// The objects in `picture`, surest first, and how long finding them took.
    pub(super) fn detect(
        &mut self,
        picture: &Picture<'_>,
        thresholds: Thresholds,
    ) -> Result<(&[Detection], Stages), String> {
        let start = clock::monotonic();
        let (tensor, letterbox) = self.preprocessor.prepare(picture)?;
        let prepared = clock::monotonic();
        run(&mut *self.engine, tensor).map_err(|error| error.to_string())?;
        let inferred = clock::monotonic();
        let output = self
            .engine
            .output(0)
            .ok_or("the output is no tensor of f32")?;
        let found = self
            .decoder
            .decode(output.data, thresholds, &letterbox)
            .map_err(|wrong| {
                let (actual, expected) = (wrong.actual, wrong.expected);
                format!("the output has {actual} numbers instead of {expected}")
            })?;
        let stages = Stages {
            preprocess: prepared.since(start),
            inference: inferred.since(prepared),
            postprocess: clock::monotonic().since(inferred),
        };
        Ok((found, stages))
    }
}

/// A panic in an engine is an error of that engine.
fn run(engine: &mut dyn Engine, tensor: TensorRef<'_>) -> Result<(), EngineError> {
    let panicked = Err(EngineError::new("the engine panicked"));
    guard("the inference engine", panicked, || engine.run(tensor))
}

/// The size of the picture that is the only input.
fn input_size(inputs: &[TensorInfo]) -> Result<Size, String> {
    let [info] = inputs else {
        return Err("it must have exactly one input, the picture".to_owned());
    };
    let &[batch, channels, height, width] = &info.shape[..] else {
        return Err("its input must have four dimensions".to_owned());
    };
    if batch.is_some_and(|batch| batch != 1) || channels.is_some_and(|channels| channels != 3) {
        return Err("its input must be [1,3,height,width]".to_owned());
    }
    if !info.is_float {
        return Err("its input must be of float".to_owned());
    }
    let side = |side: Option<usize>| {
        let side = side.unwrap_or(FREE_SIDE);
        let fits = (1..=LONGEST_SIDE).contains(&side);
        let refusal = || format!("a side of its input must be 1 to {LONGEST_SIDE} pixels long");
        if fits {
            Ok(side as u32)
        } else {
            Err(refusal())
        }
    };
    Ok(Size::new(side(width)?, side(height)?))
}

/// `why`, and what the model takes and gives.
fn explain(engine: &dyn Engine, why: &str) -> String {
    let list = |infos: &[TensorInfo]| {
        let infos: Vec<String> = infos.iter().map(ToString::to_string).collect();
        infos.join(", ")
    };
    let seen: Vec<String> = (0..engine.outputs().len())
        .filter_map(|index| engine.output(index))
        .map(|output| format!("{:?}", output.shape))
        .collect();
    let (inputs, outputs) = (list(engine.inputs()), list(engine.outputs()));
    let seen = if seen.is_empty() {
        String::new()
    } else {
        format!(", as run {}", seen.join(" "))
    };
    format!("{why}. Its input: {inputs}; its output: {outputs}{seen}")
}

#[cfg(test)]
mod tests;
