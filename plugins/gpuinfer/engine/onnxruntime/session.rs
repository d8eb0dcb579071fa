//! A network on ONNX Runtime, for one thread.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::Arc;

use ort::AsPointer;
use ort::session::{RunOptions, Session};
use ort::sys::OrtValue;
use ort::value::{Outlet, TensorElementType};

use super::Model;
use super::input::Input;
use super::library::Runtime;
use super::numbers;
use super::provider;
use super::results::{MOST, Pointers, Results};
use super::source::{Source, session};
use crate::gpuinfer::engine::options::{Device, EngineOptions};
use crate::gpuinfer::engine::{
    ActiveDevice, DeviceInput, DeviceTensor, Engine, EngineError, Fault, Seed, Stopper, TensorInfo,
    TensorRef,
};

/// A session and the memory around it.
pub(in crate::gpuinfer::engine) struct OrtEngine {
    source: Arc<Source>,
    session: Arc<Session>,
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    names: Names,
    input: Input,
    results: Results,
    running: Arc<RunOptions>,
    stopper: Stopper,
}

/// The names that a run is told, which end in zero bytes.
#[derive(Debug)]
struct Names {
    input: CString,
    _outputs: Vec<CString>,
    pointers: [*const c_char; MOST],
}

// SAFETY: the pointers are into the strings beside them.
unsafe impl Send for Names {}

impl OrtEngine {
    /// Loads `model` for `device`, which is never [`Device::Auto`].
    pub(in crate::gpuinfer::engine) fn load(
        runtime: &Arc<Runtime>,
        model: Model<'_>,
        options: &EngineOptions,
        device: Device,
    ) -> Result<Self, EngineError> {
        let path = model.path;
        let (session, target) = provider::open(device, model, options, |target| {
            session(runtime, path, options, target, options.threads)
        })?;
        let source = Source::of(runtime, path, options, target);
        let session = Arc::new(session);
        source.on_first(&session);
        Self::of(Arc::new(source), session)
    }

    pub(super) fn of(source: Arc<Source>, session: Arc<Session>) -> Result<Self, EngineError> {
        let kinds = || session.outputs().iter().map(kind);
        let names = Names::of(&session)?;
        let running = Arc::new(RunOptions::new().map_err(EngineError::new)?);
        Ok(Self {
            inputs: session.inputs().iter().map(input_info).collect(),
            outputs: session.outputs().iter().map(output_info).collect(),
            names,
            input: Input::of(session.inputs().first().and_then(kind)),
            results: Results::of(kinds()),
            stopper: Stopper::of(running.clone()),
            running,
            session,
            source,
        })
    }

    /// What runs, for the user.
    pub(in crate::gpuinfer::engine) fn title(&self) -> &str {
        &self.source.title
    }

    pub(in crate::gpuinfer::engine) fn device(&self) -> Device {
        self.source.target.device
    }

    pub(in crate::gpuinfer::engine) fn active_device(&self) -> ActiveDevice {
        self.source.target.active_device()
    }

    /// Runs the network; outputs whose pointer is null are made by ONNX Runtime.
    fn run_into(
        &mut self,
        input: *const OrtValue,
        outputs: &mut Pointers,
    ) -> Result<(), EngineError> {
        let inputs = [input];
        // SAFETY: names and values are as many as is said, and live for the call; a session that has several engines is
        // on the processor, whose sessions may be run by several threads at once.
        let status = unsafe {
            (ort::api().Run)(
                self.session.ptr().cast_mut(),
                self.running.ptr(),
                &self.names.input.as_ptr(),
                inputs.as_ptr(),
                inputs.len(),
                self.names.pointers.as_ptr(),
                self.results.len(),
                outputs.as_mut_ptr(),
            )
        };
        // SAFETY: the status is of the call above, and given away here.
        let outcome = unsafe { ort::Error::result_from_status(status) };
        outcome.map_err(|error| self.explain(&error))
    }

    fn explain(&self, error: &ort::Error) -> EngineError {
        let fault = if self.stopper.is_stopped() {
            Fault::Stopped
        } else if self.source.target.was_lost(error) {
            Fault::Device
        } else {
            Fault::Model
        };
        EngineError::of(fault, error)
    }

    /// Whether there can be a run.
    fn begin(&mut self) -> Result<(), EngineError> {
        self.results.forget();
        if self.stopper.is_stopped() {
            return Err(EngineError::stopped());
        }
        if self.inputs.len() != 1 {
            return Err(EngineError::new("it wants more than one input"));
        }
        Ok(())
    }

    fn run_value(&mut self, input: *const OrtValue, shape: &[usize]) -> Result<(), EngineError> {
        if let Some(mut planned) = self.results.plan(shape) {
            match self.run_into(input, &mut planned) {
                Ok(()) => {
                    self.results.written(shape);
                    return Ok(());
                }
                Err(error) if error.fault != Fault::Model => return Err(error),
                // The outputs may have another size this time.
                Err(_) => self.results.give_up_planning(),
            }
        }
        let mut values = [ptr::null_mut(); MOST];
        self.run_into(input, &mut values)?;
        // SAFETY: the run made the values, with this allocator, and gave them away.
        unsafe { self.results.take(shape, &values, self.session.allocator()) };
        Ok(())
    }
}

impl Engine for OrtEngine {
    fn inputs(&self) -> &[TensorInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorInfo] {
        &self.outputs
    }

    fn run(&mut self, tensor: TensorRef<'_>) -> Result<(), EngineError> {
        self.begin()?;
        let input = self.input.value(tensor)?;
        self.run_value(input, tensor.shape)
    }

    fn output(&self, index: usize) -> Option<TensorRef<'_>> {
        self.results.get(index)
    }

    fn device_input(&self) -> Option<DeviceInput> {
        let is_nvidia = matches!(self.device(), Device::Cuda | Device::TensorRt);
        Some(DeviceInput {
            ordinal: self.source.options.device_id,
            number: self.input.number().filter(|_| is_nvidia)?,
        })
    }

    fn run_on_device(&mut self, tensor: DeviceTensor<'_>) -> Result<(), EngineError> {
        self.begin()?;
        // A session on the processor takes the address for one of main memory.
        if self.device_input().is_none() {
            let device = &self.source.target;
            let why = format!("{device} takes no tensor from a GPU");
            return Err(EngineError::new(why));
        }
        let input = self
            .input
            .on_device(tensor, self.source.options.device_id)?;
        self.run_value(input, tensor.shape)
    }

    fn seed(&self) -> Option<Box<dyn Seed>> {
        let is_processor = self.device() == Device::Cpu;
        is_processor.then(|| Box::new(self.source.clone()) as Box<dyn Seed>)
    }

    fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }
}

impl Names {
    fn of(session: &Session) -> Result<Self, EngineError> {
        let outputs = session.outputs();
        if outputs.len() > MOST || outputs.is_empty() {
            let count = outputs.len();
            return Err(EngineError::new(format!(
                "it has {count} outputs, not 1 to {MOST}"
            )));
        }
        let name = |outlet: &Outlet| CString::new(outlet.name()).map_err(EngineError::new);
        let input = session.inputs().first().map(name);
        let input = input.ok_or_else(|| EngineError::new("it has no input"))??;
        let outputs: Vec<CString> = outputs.iter().map(name).collect::<Result<_, _>>()?;
        let mut pointers = [ptr::null(); MOST];
        for (pointer, name) in pointers.iter_mut().zip(&outputs) {
            *pointer = name.as_ptr();
        }
        Ok(Self {
            input,
            _outputs: outputs,
            pointers,
        })
    }
}

fn kind(outlet: &Outlet) -> Option<TensorElementType> {
    outlet.dtype().tensor_type()
}

fn input_info(outlet: &Outlet) -> TensorInfo {
    info(outlet, kind(outlet).is_some_and(numbers::can_be_given))
}

fn output_info(outlet: &Outlet) -> TensorInfo {
    info(outlet, kind(outlet).and_then(numbers::size).is_some())
}

fn info(outlet: &Outlet, is_float: bool) -> TensorInfo {
    let shape = outlet.dtype().tensor_shape();
    let sizes = shape.iter().flat_map(|shape| shape.iter());
    TensorInfo {
        name: outlet.name().to_owned(),
        shape: sizes.map(|size| usize::try_from(*size).ok()).collect(),
        is_float,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::gpuinfer::engine::survey::survey;
    use crate::gpuinfer::engine::tests::library;

    #[test]
    fn engines_of_one_thread_have_one_session_and_others_their_own() {
        gst::init().expect("GStreamer starts");
        let Some(library) = library() else { return };
        let options = EngineOptions {
            library: Some(library),
            threads: 2,
            ..EngineOptions::default()
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/shapes.onnx");
        let survey = survey(&path, 4).expect("a model");
        let model = Model {
            path: &path,
            survey: survey.as_ref(),
        };
        let runtime = super::super::runtime(&options).expect("a library");
        let first = OrtEngine::load(&runtime, model, &options, Device::Cpu).expect("loaded");
        let seed = first.seed().expect("the processor shares");
        let others = [2, 1, 1, 1].map(|threads| seed.grow(threads).expect("loaded"));
        assert_eq!(first.source.sharing(), 3, "one thread each");
        assert_eq!(Arc::strong_count(&first.session), 1, "two threads");
        drop(others);
        assert_eq!(first.source.sharing(), 0);
    }

    /// Where no provider is on a GPU, ONNX Runtime does not look where a tensor is said to lie, so that one in main
    /// memory shows that it is described rightly.
    #[test]
    fn a_tensor_that_is_said_to_be_on_a_gpu_is_as_one_in_main_memory() {
        gst::init().expect("GStreamer starts");
        let Some(library) = library() else { return };
        let options = EngineOptions {
            library: Some(library),
            ..EngineOptions::default()
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/shapes.onnx");
        let survey = survey(&path, 4).expect("a model");
        let model = Model {
            path: &path,
            survey: survey.as_ref(),
        };
        let runtime = super::super::runtime(&options).expect("a library");
        let mut engine = OrtEngine::load(&runtime, model, &options, Device::Cpu).expect("loaded");
        let shape = [2, 3, 320, 320];
        let data: Vec<f32> = (0..shape.iter().product())
            .map(|at| (at * 7 % 255) as f32 / 255.0)
            .collect();
        let tensor = TensorRef {
            shape: &shape,
            data: &data,
        };
        engine.run(tensor).expect("run");
        let expected = engine.output(0).expect("an output").data.to_vec();
        let there = DeviceTensor {
            shape: &shape,
            address: data.as_ptr().expose_provenance() as u64,
            bytes: size_of_val(&data[..]),
        };
        // Twice: views are kept.
        for _ in 0..2 {
            engine.begin().expect("there can be a run");
            let input = engine.input.on_device(there, 0).expect("a view");
            engine.run_value(input, &shape).expect("run");
            let seen = engine.output(0).expect("an output");
            assert_eq!((seen.shape, seen.data), (&[2, 7, 2100][..], &expected[..]));
        }
    }
}
