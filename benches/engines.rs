//! What a network costs by itself: both engines, with nothing around them.
//!
//! Needs the real networks in `../shared/models`, and ONNX Runtime as `make onnxruntime` leaves it or as the element
//! finds it; leaves out what is not there.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gstlivetune::{Backend, BareEngine};

/// File, shape of the input without the batch, and the batches that are run.
const NETWORKS: [(&str, [usize; 3], &[usize]); 3] = [
    ("yolox_nano.onnx", [3, 416, 416], &[1]),
    ("yolox_nano_dynbatch.onnx", [3, 416, 416], &[4, 8]),
    ("version-RFB-320.onnx", [3, 240, 320], &[1]),
];

const ENGINES: [(&str, Backend); 2] = [
    ("rten", Backend::Rten),
    ("onnxruntime", Backend::OnnxRuntime),
];

/// The folder that `make onnxruntime` fills, if it did.
fn library() -> Option<PathBuf> {
    let program = std::env::current_exe().unwrap();
    let folder = program.ancestors().nth(3)?.join("onnxruntime");
    folder.join(".complete").exists().then_some(folder)
}

fn engines(criterion: &mut Criterion) {
    gst::init().unwrap();
    let library = library();
    for (file, picture, batches) in NETWORKS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared/models")
            .join(file);
        if !path.exists() {
            eprintln!("SKIP: {} is not here", path.display());
            continue;
        }
        let mut group = criterion.benchmark_group(file);
        group.sample_size(20);
        for (name, backend) in ENGINES {
            for threads in [1, 2] {
                let library = library.as_deref().filter(|_| backend != Backend::Rten);
                let engine = BareEngine::open(&path, backend, library, threads);
                let Ok(mut engine) = engine.inspect_err(|why| eprintln!("SKIP: {name}: {why}"))
                else {
                    continue;
                };
                for batch in batches {
                    let shape = [*batch, picture[0], picture[1], picture[2]];
                    let data: Vec<f32> = (0..shape.iter().product::<usize>())
                        .map(|at| (at % 251) as f32)
                        .collect();
                    let title = format!("{name}, {threads} threads, batch {batch}");
                    group.throughput(Throughput::Elements(*batch as u64));
                    group.bench_function(title, |bencher| {
                        bencher.iter(|| engine.run(&shape, &data).unwrap());
                    });
                }
            }
        }
        group.finish();
    }
}

criterion_group!(benches, engines);
criterion_main!(benches);
