//! Which engine is opened, and what happens where it cannot be.

use std::path::Path;

use super::onnxruntime::{self, OrtEngine};
use super::options::{Backend, Device, EngineOptions, Fallback, Precision};
use super::rten::RtenEngine;
use super::survey::{Survey, survey};
use super::{CAT, Engine, EngineError, Fault};
use crate::runtime::guard::guard;

/// An engine, and what it is.
pub(in crate::gpuinfer) struct Opened {
    pub(in crate::gpuinfer) engine: Box<dyn Engine>,
    /// What really runs, in words.
    pub(in crate::gpuinfer) active: String,
    pub(in crate::gpuinfer) device: ActiveDevice,
    /// What the user should know.
    pub(in crate::gpuinfer) warnings: Vec<String>,
}

/// What a network really runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpuinfer) enum ActiveDevice {
    /// The processor: batches gain nothing, more threads do.
    Cpu,
    /// A GPU or the like: batches gain much.
    Accelerator,
}

/// Opens the network in the file `path`.
pub(in crate::gpuinfer) fn open(
    path: &Path,
    options: &EngineOptions,
) -> Result<Opened, EngineError> {
    let panicked = Err(EngineError::new("the reader panicked"));
    let opened = guard("the model reader", panicked, || as_asked(path, options));
    match opened {
        Err(error) if options.falls_back() && error.fault != Fault::Model => {
            let mut opened = open(path, &options.on_the_processor())?;
            let (device, active) = (options.device.title(), &opened.active);
            let warning = format!("{device} does not work, {active} runs instead: {error}");
            opened.warnings.push(warning);
            Ok(opened)
        }
        Ok(opened) => {
            let (active, device) = (&opened.active, opened.device);
            gst::info!(CAT, "{} on {active} ({device:?})", path.display());
            Ok(opened)
        }
        failed => failed,
    }
}

impl EngineOptions {
    fn falls_back(&self) -> bool {
        self.fallback == Fallback::Cpu && !matches!(self.device, Device::Auto | Device::Cpu)
    }

    /// The same without what only other devices have.
    pub(in crate::gpuinfer) fn on_the_processor(&self) -> Self {
        Self {
            device: Device::Cpu,
            precision: Precision::Auto,
            fallback: Fallback::None,
            ..self.clone()
        }
    }
}

fn as_asked(path: &Path, options: &EngineOptions) -> Result<Opened, EngineError> {
    // What does not fit on another device is an error of that device's, and not the end of the process.
    let survey = survey(path, options.processor_batch)?;
    let processor = matches!(options.device, Device::Auto | Device::Cpu);
    match options.backend {
        Backend::Rten if processor => rten(path, options, survey.as_ref()),
        Backend::Rten => Err(EngineError::of(
            Fault::Device,
            format!(
                "the engine rten runs on the processor only, not on {}: set backend to onnxruntime",
                options.device.title()
            ),
        )),
        Backend::OnnxRuntime => onnx_runtime(path, options, survey.as_ref()),
        Backend::Auto => match onnxruntime::runtime(options) {
            Ok(_) => onnx_runtime(path, options, survey.as_ref()),
            // Nobody asked for it.
            Err(why) if processor && options.library.is_none() => {
                gst::info!(CAT, "no ONNX Runtime, rten runs: {why}");
                let mut opened = rten(path, options, survey.as_ref())?;
                if onnxruntime::is_named(options) {
                    let warning = format!("{} runs instead of ONNX Runtime: {why}", opened.active);
                    opened.warnings.push(warning);
                }
                Ok(opened)
            }
            Err(why) => Err(why),
        },
    }
}

fn rten(
    path: &Path,
    options: &EngineOptions,
    survey: Option<&Survey>,
) -> Result<Opened, EngineError> {
    let Some(survey) = survey else {
        return Err(EngineError::new("there is no network in it"));
    };
    let engine = RtenEngine::load(path, options.threads)?;
    Ok(Opened {
        engine: Box::new(engine),
        active: RtenEngine::title(),
        device: ActiveDevice::Cpu,
        warnings: unmet_precision(options, Some(survey), Device::Cpu)
            .into_iter()
            .collect(),
    })
}

fn onnx_runtime(
    path: &Path,
    options: &EngineOptions,
    survey: Option<&Survey>,
) -> Result<Opened, EngineError> {
    let runtime = onnxruntime::runtime(options)?;
    let mut warnings = Vec::new();
    let model = onnxruntime::Model { path, survey };
    let load = |device| OrtEngine::load(&runtime, model, options, device);
    let engine = match options.device {
        Device::Auto => match onnxruntime::best_device(&runtime) {
            Device::Cpu => load(Device::Cpu)?,
            best => load(best).or_else(|why| {
                warnings.push(format!(
                    "{} is there and does not work, the CPU runs the network: {why}",
                    best.title()
                ));
                load(Device::Cpu)
            })?,
        },
        device => load(device)?,
    };
    let as_the_model_is = match engine.device() {
        Device::Auto | Device::Cpu | Device::Cuda => true,
        Device::TensorRt => false,
        Device::OpenVino => engine.active_device() == ActiveDevice::Cpu,
    };
    if as_the_model_is {
        warnings.extend(unmet_precision(options, survey, engine.device()));
    }
    Ok(Opened {
        active: engine.title().to_owned(),
        device: engine.active_device(),
        engine: Box::new(engine),
        warnings,
    })
}

/// What a device that computes with the model's own numbers does not do about the precision that is asked for.
fn unmet_precision(
    options: &EngineOptions,
    survey: Option<&Survey>,
    device: Device,
) -> Option<String> {
    let nick = match options.precision {
        Precision::Auto | Precision::Fp32 => return None,
        Precision::Int8 if survey.is_none_or(|survey| survey.is_quantised) => return None,
        Precision::Fp16 => "fp16",
        Precision::Int8 => "int8",
    };
    let device = device.title();
    Some(format!(
        "precision={nick} changes nothing on {device}, which computes with the numbers that the model is made of: \
         export the model with that precision"
    ))
}
