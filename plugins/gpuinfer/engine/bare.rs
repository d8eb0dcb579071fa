//! An engine with nothing around it, for benchmarks.

use std::path::Path;

use ort::environment::Environment;

use super::{Backend, Engine, EngineOptions, TensorRef, onnxruntime, open};

/// ONNX Runtime as the element has it, the library that is found or the one in `library`: a process has one only.
pub fn onnx_runtime(library: Option<&Path>) -> Result<Environment, String> {
    let options = EngineOptions {
        library: library.map(Path::to_owned),
        ..EngineOptions::default()
    };
    let runtime = onnxruntime::runtime(&options).map_err(|error| error.text)?;
    Ok(runtime.environment.clone())
}

/// A network ready to run, as the element runs it.
pub struct BareEngine(Box<dyn Engine>);

impl BareEngine {
    /// Opens the .onnx file at `path` on the processor, with the library of ONNX Runtime that is found, or the one in
    /// `library`.
    pub fn open(
        path: &Path,
        backend: Backend,
        library: Option<&Path>,
        threads: u32,
    ) -> Result<Self, String> {
        let options = EngineOptions {
            backend,
            threads,
            library: library.map(Path::to_owned),
            ..EngineOptions::default()
        };
        let opened = open(path, &options).map_err(|error| error.text)?;
        Ok(Self(opened.engine))
    }

    /// Runs the network once; the sum of its first output, so that nothing can be left out.
    pub fn run(&mut self, shape: &[usize], data: &[f32]) -> Result<f32, String> {
        let tensor = TensorRef { shape, data };
        self.0.run(tensor).map_err(|error| error.text)?;
        let output = self.0.output(0).ok_or("it has no output of numbers")?;
        Ok(output.data.iter().sum())
    }
}
