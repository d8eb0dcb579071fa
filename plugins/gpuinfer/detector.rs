//! A model with all that turns frames into what they show: what comes before the network, the network, what comes
//! after. Many frames go through it at once, as one batch.

mod answers;
mod crew;
mod device;
mod input;
mod terms;

use std::sync::Arc;

use livetune_core::infer::{
    Decoder, Found, Head, Letterbox, Region, SUPPORTED, Stages, Thresholds,
};
use rayon::prelude::*;

use super::engine::{Engine, EngineError, Home, Stopper, TensorInfo, TensorRef};
use super::options::ModelOptions;
use super::picture::Picture;
use super::preprocess::{Form, Preprocessor};
use super::sidecar::Sidecar;
use crate::runtime::clock;
use crate::runtime::guard::guard;
use answers::{Answer, Answers};
use device::OnDevice;
use input::{Input, LARGEST_BATCH};

pub(super) use terms::{Terms, Wishes};

/// Or a sentence that says what is not understood.
type Understood<T> = Result<T, String>;

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
    terms: Arc<Terms>,
    warnings: Vec<String>,
    input: Input,
    batch: Batch,
    /// Places of the batch, with what each has for itself.
    slots: Vec<Slot>,
    /// One after another, the slots' pictures.
    tensor: Vec<f32>,
    device: OnDevice,
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
    pub(super) fn new(engine: Box<dyn Engine>, options: &ModelOptions) -> Understood<Self> {
        let (sidecar, mut warnings) = options.sidecar()?;
        let input = Input::of(engine.inputs(), &sidecar).map_err(|why| explain(&*engine, &why))?;
        let batch = match input.batch {
            Some(size) => Batch::Fixed(size),
            None => Batch::Free(options.batch_sizes.clone()),
        };
        let pictures = batch.size_for(1);
        let mut engine = Tried {
            engine,
            input,
            tensor: Vec::new(),
        };
        engine
            .run(pictures)
            .map_err(|error| format!("it does not run: {error}"))?;
        let head = head_of(&engine, pictures, options, &sidecar)?;
        let batch = match batch {
            Batch::Free(sizes) => engine.free_batch(sizes, &mut warnings),
            fixed => fixed,
        };
        let (terms, warning) = Terms::of(&head, options, &sidecar);
        warnings.extend(warning);
        let Tried { engine, tensor, .. } = engine;
        let mut detector = Self {
            form: sidecar.form(head.family(), input.size, input.layout),
            terms: Arc::new(terms),
            warnings,
            input,
            batch,
            slots: vec![Slot::new(head)],
            tensor,
            device: OnDevice::default(),
            engine,
        };
        detector.make_room(pictures);
        Ok(detector)
    }

    /// What ends a run from another thread.
    pub(super) fn stopper(&self) -> Stopper {
        self.engine.stopper()
    }

    /// The thread that work on it is best done in.
    pub(super) fn home(&self) -> Home {
        self.engine.home()
    }

    /// What its results are called, and which of them count.
    pub(super) fn terms(&self) -> &Arc<Terms> {
        &self.terms
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
        let shape = self.input.shape(pictures);
        let prepared = if works.iter().any(|work| work.picture.is_on_device()) {
            self.run_on_device(works, &shape)?
        } else {
            self.prepare(works);
            let prepared = clock::monotonic();
            let tensor = TensorRef {
                shape: &shape,
                data: &self.tensor[..shape.iter().product()],
            };
            let engine = &mut *self.engine;
            guarded(|| engine.run(tensor)).map_err(|error| error.to_string())?;
            prepared
        };
        let inferred = clock::monotonic();
        self.decode(works, pictures)?;
        Ok(Stages {
            preprocess: prepared.since(start),
            inference: inferred.since(prepared),
            postprocess: clock::monotonic().since(inferred),
        })
    }

    fn make_room(&mut self, pictures: usize) {
        let numbers = self.input.shape(pictures).iter().product();
        if self.tensor.len() < numbers {
            self.tensor.resize(numbers, 0.0);
        }
        while self.slots.len() < pictures {
            let head = self.slots[0].decoder.head().clone();
            self.slots.push(Slot::new(head));
        }
    }

    fn prepare(&mut self, works: &mut [Work<'_>]) {
        let picture = self.input.shape(1).iter().product();
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
        let answers = Answers::of(&*self.engine, pictures)?;
        let slots = &mut self.slots[..];
        if let [work] = works {
            return slots[0].decode(work, &answers.one(0));
        }
        let all = works.par_iter_mut().zip(slots.par_iter_mut()).enumerate();
        crew::work(|| all.try_for_each(|(at, (work, slot))| slot.decode(work, &answers.one(at))))
    }
}

/// An engine on first acquaintance.
struct Tried {
    engine: Box<dyn Engine>,
    input: Input,
    tensor: Vec<f32>,
}

impl Tried {
    /// Runs it on so many grey `pictures`.
    fn run(&mut self, pictures: usize) -> Result<(), EngineError> {
        let shape = self.input.shape(pictures);
        self.tensor.resize(shape.iter().product(), 0.5);
        let tensor = TensorRef {
            shape: &shape,
            data: &self.tensor,
        };
        let engine = &mut *self.engine;
        guarded(|| engine.run(tensor))
    }

    /// Batches of any size, or of `sizes`. Files say so where the network inside was made for one picture: seen by
    /// trying.
    fn free_batch(&mut self, sizes: Vec<usize>, warnings: &mut Vec<String>) -> Batch {
        let batch = Batch::Free(sizes);
        let pictures = batch.size_for(2);
        if pictures < 2 {
            return batch;
        }
        let ran = self.run(pictures);
        let why = match ran {
            Err(error) => error.to_string(),
            Ok(()) => match Answers::of(&*self.engine, pictures) {
                Ok(_) => return batch,
                Err(why) => why,
            },
        };
        warnings.push(format!(
            "The model's file says that it takes any number of pictures at once and it fails on {pictures} ({why}): \
             one at a time; export it with a dynamic batch"
        ));
        Batch::Free(vec![1])
    }
}

impl Batch {
    /// How many pictures the model gets where there are `count`.
    fn size_for(&self, count: usize) -> usize {
        match self {
            Self::Fixed(size) => *size,
            Self::Free(sizes) => {
                let next = sizes.iter().find(|size| **size >= count);
                next.or(sizes.last()).copied().unwrap_or(count)
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

    fn decode(&mut self, work: &mut Work<'_>, answer: &Answer<'_>) -> Result<(), String> {
        let Some(letterbox) = &self.letterbox else {
            return Ok(());
        };
        let outputs = answer.outputs();
        let read = self
            .decoder
            .decode(outputs, work.thresholds, letterbox, work.found);
        read.map_err(|wrong| {
            let (actual, expected) = (wrong.actual, wrong.expected);
            format!("the output has {actual} numbers instead of {expected}")
        })
    }
}

/// A panic in an engine is an error of that engine.
fn guarded(run: impl FnOnce() -> Result<(), EngineError>) -> Result<(), EngineError> {
    let ran = guard("the inference engine", None, || Some(run()));
    ran.unwrap_or_else(|| Err(EngineError::new("the engine panicked")))
}

/// The head of an engine that has just run on so many `pictures`.
fn head_of(
    tried: &Tried,
    pictures: usize,
    options: &ModelOptions,
    sidecar: &Sidecar,
) -> Understood<Head> {
    let engine = &*tried.engine;
    let answers = Answers::of(engine, pictures).map_err(|why| explain(engine, &why))?;
    let one = answers.one(0);
    let family = options.decoder.family().or(sidecar.decoder);
    let hints = &sidecar.hints;
    let head = Head::recognise(family, one.outputs(), tried.input.size, hints);
    head.ok_or_else(|| {
        let said = family.map_or_else(
            || "the meaning of its outputs is not known".to_owned(),
            |family| format!("its outputs are not those of {}", family.name()),
        );
        let why = format!(
            "{said}; recognised are {SUPPORTED}; the property decoder or a sidecar may say what it is"
        );
        explain(engine, &why)
    })
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
mod cost;
#[cfg(test)]
mod tests;
