//! The engines as their own programs would use them: one tensor, again and again.

use std::path::PathBuf;
use std::sync::Arc;

use ort::session::Session;
use ort::value::TensorRef;
use rten::{Model, ModelOptions, RunOptions, ThreadPool, ValueView};

use crate::pictures;

const SHAPE: [usize; 4] = [1, 3, 416, 416];

/// An engine with one thread and the model loaded.
pub enum Bare {
    Rten {
        model: Box<Model>,
        options: RunOptions,
    },
    OnnxRuntime(Session),
}

/// All engines that are here, by the name that the property `backend` knows them by.
pub fn engines() -> Vec<(&'static str, Bare)> {
    let mut engines = vec![("rten", Bare::rten())];
    if library().is_some() {
        engines.push(("onnxruntime", Bare::onnx_runtime()));
    }
    engines
}

/// The library that `make onnxruntime` brings, or that the user named.
pub fn library() -> Option<PathBuf> {
    let named = std::env::var_os("LIVETUNE_ORT_PATH").map(PathBuf::from);
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3)?;
    named
        .or(Some(target.join("onnxruntime/libonnxruntime.so")))
        .filter(|library| library.exists())
}

/// The property that makes the element take that library, if it is to take one.
pub fn choice(name: &str) -> String {
    match library().filter(|_| name == "onnxruntime") {
        Some(library) => format!(
            "backend={name} onnxruntime-library=\"{}\"",
            library.display()
        ),
        None => format!("backend={name}"),
    }
}

/// Numbers as those of a picture.
pub fn tensor() -> Vec<f32> {
    (0..SHAPE.iter().product::<usize>())
        .map(|at| (at * 31 % 251) as f32)
        .collect()
}

impl Bare {
    fn rten() -> Self {
        let mut loader = ModelOptions::with_all_ops();
        loader.prepack_weights(true);
        let model = Box::new(loader.load_file(pictures::model()).unwrap());
        let pool = Arc::new(ThreadPool::with_num_threads(1));
        let options = RunOptions::default().with_thread_pool(Some(pool));
        Self::Rten { model, options }
    }

    fn onnx_runtime() -> Self {
        let environment = gstlivetune::onnx_runtime(library().as_deref()).unwrap();
        let builder = Session::builder(&environment).unwrap();
        let session = builder
            .with_intra_threads(1)
            .unwrap()
            .commit_from_file(pictures::model())
            .unwrap();
        Self::OnnxRuntime(session)
    }

    pub fn run(&mut self, tensor: &[f32]) {
        match self {
            Self::Rten { model, options } => {
                let view = ValueView::from_shape(&SHAPE, tensor).unwrap();
                let inputs = vec![(model.input_ids()[0], view.into())];
                let outputs = model.run(inputs, model.output_ids(), Some(options.clone()));
                std::hint::black_box(outputs.unwrap());
            }
            Self::OnnxRuntime(session) => {
                let view = TensorRef::from_array_view((SHAPE, tensor)).unwrap();
                std::hint::black_box(session.run(ort::inputs![view]).unwrap());
            }
        }
    }
}
