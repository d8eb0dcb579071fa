//! A model with all that turns frames into what they show: what comes before the network, the network, what comes
//! after. Many frames go through it at once, as one batch.

mod crew;

use std::sync::Arc;

use livetune_core::infer::{
    CHANNELS, Decoder, Found, Head, Labels, Letterbox, Region, SUPPORTED, Size, Stages, Thresholds,
};
use rayon::prelude::*;

use super::engine::{Engine, EngineError, Stopper, TensorInfo, TensorRef};
use super::options::ModelOptions;
use super::picture::Picture;
use super::preprocess::{Form, Preprocessor};
use crate::runtime::clock;
use crate::runtime::guard::guard;

/// Side of the input where the model leaves it open; what Ultralytics exports by default.
const FREE_SIDE: usize = 640;
/// The longest side of an input: 4096 by 4096 is 200 MB of tensor, and no detector in use comes near it.
const LONGEST_SIDE: usize = 4096;
/// Where the model leaves the batch open: more pictures than any device works on at once.
const LARGEST_BATCH: usize = 64;

/// One picture of a batch.
pub(super) struct Work<'a> {
    pub(super) picture: &'a Picture<'a>,
    /// The part of the picture that is looked at, in pixels of it; all of it where there is none.
    pub(super) region: Option<Region>,
    pub(super) thresholds: &'a Thresholds,
    /// Emptied and filled.
    pub(super) found: &'a mut Found,
}

/// Finds objects with one model.
pub(super) struct Detector {
    engine: Box<dyn Engine>,
    form: Form,
    labels: Arc<Labels>,
    warnings: Vec<String>,
    batch: Batch,
    /// Places of the batch, with what each has for itself.
    slots: Vec<Slot>,
    /// One after another, the slots' pictures.
    tensor: Vec<f32>,
    shape: [usize; 4],
}

/// How many pictures the model takes at once.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Batch {
    /// Always so many.
    Fixed(usize),
    /// As many as there are, or the next of these.
    Free(Vec<usize>),
}

#[derive(Debug)]
struct Slot {
    preprocessor: Preprocessor,
    decoder: Decoder,
    /// Where the picture is, or nothing where it could not be prepared.
    letterbox: Option<Letterbox>,
}

impl Detector {
    /// Looks at what `engine` takes and gives, and runs it once on grey, which warms it up as well. The error is a
    /// sentence that says what is not understood.
    pub(super) fn new(mut engine: Box<dyn Engine>, options: &ModelOptions) -> Result<Self, String> {
        let (batch, size) = input_size(engine.inputs()).map_err(|why| explain(&*engine, &why))?;
        let batch = match batch {
            Some(size) => Batch::Fixed(size),
            None => Batch::Free(options.batch_sizes.clone()),
        };
        let pictures = batch.size_for(1);
        let shape = [
            pictures,
            CHANNELS,
            size.height as usize,
            size.width as usize,
        ];
        let tensor = vec![0.5; shape.iter().product()];
        let (first_shape, data) = (&shape[..], &tensor[..]);
        let first = TensorRef {
            shape: first_shape,
            data,
        };
        if let Err(error) = run(&mut *engine, first) {
            return Err(format!("it does not run: {error}"));
        }
        let mut shapes = (0..engine.outputs().len()).map(|index| engine.output(index));
        let head = match (shapes.next(), shapes.next()) {
            (Some(Some(output)), None) => head_of(output.shape, pictures, size),
            _ => None,
        };
        let Some(head) = head else {
            let why = format!("the meaning of its output is not known; supported: {SUPPORTED}");
            return Err(explain(&*engine, &why));
        };
        let (labels, warnings) = labels(options, head.classes());
        let form = Form {
            size,
            placement: head.placement(),
            of_regions: head.placement(),
            normalisation: head.normalisation(),
        };
        let mut detector = Self {
            form,
            labels: Arc::new(labels),
            warnings,
            batch,
            slots: vec![Slot::new(head)],
            tensor,
            shape,
            engine,
        };
        detector.make_room(pictures);
        detector.try_two();
        Ok(detector)
    }

    /// Files say that any batch goes in where the network inside was made for one picture: seen by trying.
    fn try_two(&mut self) {
        let Batch::Free(sizes) = &self.batch else {
            return;
        };
        if sizes.last().is_some_and(|most| *most < 2) {
            return;
        }
        let pictures = self.batch.size_for(2);
        self.make_room(pictures);
        self.shape[0] = pictures;
        let picture: usize = self.shape[1..].iter().product();
        let tensor = TensorRef {
            shape: &self.shape,
            data: &self.tensor[..pictures * picture],
        };
        let ran = run(&mut *self.engine, tensor);
        let output = self.engine.output(0);
        let is_batch = output.is_some_and(|output| output.shape.first() == Some(&pictures));
        if let (Ok(()), true) = (&ran, is_batch) {
            return;
        }
        let why = ran.map_or_else(
            |error| error.to_string(),
            |()| "its output is one picture's".to_owned(),
        );
        self.warnings.push(format!(
            "The model's file says that it takes any number of pictures at once and it fails on {pictures} ({why}):              one at a time; export it with a dynamic batch"
        ));
        self.batch = Batch::Free(vec![1]);
    }

    /// What ends a run from another thread.
    pub(super) fn stopper(&self) -> Stopper {
        self.engine.stopper()
    }

    /// The names of the classes that the model tells apart.
    pub(super) fn labels(&self) -> &Arc<Labels> {
        &self.labels
    }

    /// What the user should know of the model; each a sentence.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How many pictures go in at once; 1 where the model takes one only.
    pub(super) fn max_batch(&self) -> usize {
        match &self.batch {
            Batch::Fixed(size) => *size,
            Batch::Free(sizes) => sizes.last().copied().unwrap_or(LARGEST_BATCH),
        }
    }

    /// Looks at all of `works`, at most [`Self::max_batch`], at once; says how long it took. An error is one of all of
    /// them; what is wrong with one picture is in what was found there.
    pub(super) fn detect(&mut self, works: &mut [Work<'_>]) -> Result<Stages, String> {
        if works.is_empty() {
            return Ok(Stages::default());
        }
        let most = self.max_batch();
        if works.len() > most {
            return Err(format!("{} pictures do not fit in {most}", works.len()));
        }
        let start = clock::monotonic();
        let pictures = self.batch.size_for(works.len());
        self.make_room(pictures);
        self.prepare(works);
        let prepared = clock::monotonic();
        self.shape[0] = pictures;
        let picture: usize = self.shape[1..].iter().product();
        let tensor = TensorRef {
            shape: &self.shape,
            data: &self.tensor[..pictures * picture],
        };
        run(&mut *self.engine, tensor).map_err(|error| error.to_string())?;
        let inferred = clock::monotonic();
        self.decode(works, pictures)?;
        Ok(Stages {
            preprocess: prepared.since(start),
            inference: inferred.since(prepared),
            postprocess: clock::monotonic().since(inferred),
        })
    }

    fn make_room(&mut self, pictures: usize) {
        let picture: usize = self.shape[1..].iter().product();
        if self.tensor.len() < pictures * picture {
            self.tensor.resize(pictures * picture, 0.0);
        }
        while self.slots.len() < pictures {
            let head = self.slots[0].decoder.head().clone();
            self.slots.push(Slot::new(head));
        }
    }

    fn prepare(&mut self, works: &mut [Work<'_>]) {
        let picture: usize = self.shape[1..].iter().product();
        let (form, slots, tensor) = (&self.form, &mut self.slots[..], &mut self.tensor[..]);
        if let [work] = works {
            slots[0].prepare(form, work, &mut tensor[..picture]);
            return;
        }
        let places = slots
            .par_iter_mut()
            .zip(tensor.par_chunks_exact_mut(picture));
        let all = works.par_iter_mut().zip(places);
        crew::work(|| all.for_each(|(work, (slot, tensor))| slot.prepare(form, work, tensor)));
    }

    fn decode(&mut self, works: &mut [Work<'_>], pictures: usize) -> Result<(), String> {
        let output = self.engine.output(0);
        let output = output.ok_or("the output is no tensor of f32")?;
        let length = output.data.len() / pictures;
        if length == 0 || length * pictures != output.data.len() {
            let (numbers, shape) = (output.data.len(), output.shape);
            return Err(format!(
                "the output has {numbers} numbers, {shape:?}, for {pictures} pictures"
            ));
        }
        let slots = &mut self.slots[..];
        if let [work] = works {
            return slots[0].decode(work, &output.data[..length]);
        }
        let places = slots
            .par_iter_mut()
            .zip(output.data.par_chunks_exact(length));
        let all = works.par_iter_mut().zip(places);
        crew::work(|| all.try_for_each(|(work, (slot, output))| slot.decode(work, output)))
    }
}

impl Batch {
    /// How many pictures the model gets where there are `count`.
    fn size_for(&self, count: usize) -> usize {
        match self {
            Self::Fixed(size) => *size,
            Self::Free(sizes) => {
                let next = sizes.iter().find(|size| **size >= count);
                next.copied().unwrap_or(count)
            }
        }
    }
}

impl Slot {
    fn new(head: Head) -> Self {
        Self {
            preprocessor: Preprocessor::new(),
            decoder: Decoder::new(head),
            letterbox: None,
        }
    }

    fn prepare(&mut self, form: &Form, work: &mut Work<'_>, tensor: &mut [f32]) {
        work.found.clear();
        let prepared = self
            .preprocessor
            .prepare(form, work.picture, work.region, tensor);
        match prepared {
            Ok(letterbox) => self.letterbox = Some(letterbox),
            Err(why) => {
                self.letterbox = None;
                work.found.failure = Some(why);
            }
        }
    }

    fn decode(&mut self, work: &mut Work<'_>, output: &[f32]) -> Result<(), String> {
        let Some(letterbox) = &self.letterbox else {
            return Ok(());
        };
        let objects = &mut work.found.objects;
        let read = self
            .decoder
            .decode(output, work.thresholds, letterbox, objects);
        read.map_err(|wrong| {
            let (actual, expected) = (wrong.actual, wrong.expected);
            format!("the output has {actual} numbers instead of {expected}")
        })
    }
}

/// A panic in an engine is an error of that engine.
fn run(engine: &mut dyn Engine, tensor: TensorRef<'_>) -> Result<(), EngineError> {
    let panicked = Err(EngineError::new("the engine panicked"));
    guard("the inference engine", panicked, || engine.run(tensor))
}

fn head_of(shape: &[usize], pictures: usize, size: Size) -> Option<Head> {
    let (batch, rest) = shape.split_first()?;
    let one = [&[1], rest].concat();
    (*batch == pictures).then(|| Head::from_output_shape(&one, size))?
}

/// Names for `classes` classes, and what is wrong with those that were given.
fn labels(options: &ModelOptions, classes: usize) -> (Labels, Vec<String>) {
    let Some(document) = &options.labels else {
        return (Labels::numbered(classes), Vec::new());
    };
    let labels = Labels::parse(&document.text, classes);
    let missing = labels.missing();
    let warning = (missing > 0).then(|| {
        let named = classes - missing;
        format!(
            "The model tells {classes} classes apart and the labels name {named}: the rest are called class N; set \
             the property labels to the file that belongs to the model"
        )
    });
    (labels, warning.into_iter().collect())
}

/// How many pictures the only input takes, where that is fixed, and their size.
fn input_size(inputs: &[TensorInfo]) -> Result<(Option<usize>, Size), String> {
    let [info] = inputs else {
        return Err("it must have exactly one input, the picture".to_owned());
    };
    let &[batch, channels, height, width] = &info.shape[..] else {
        return Err("its input must have four dimensions".to_owned());
    };
    if channels.is_some_and(|channels| channels != CHANNELS) {
        return Err("its input must be [batch,3,height,width]".to_owned());
    }
    if batch.is_some_and(|batch| !(1..=LARGEST_BATCH).contains(&batch)) {
        return Err(format!(
            "its input must be of 1 to {LARGEST_BATCH} pictures"
        ));
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
    Ok((batch, Size::new(side(width)?, side(height)?)))
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
