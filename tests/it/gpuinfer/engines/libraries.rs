//! Which ONNX Runtime is taken, and what is said of one that cannot be.

use std::path::Path;

use gst::prelude::*;

use super::{launch, refusal, said};
use crate::gpuinfer::{BALL, onnx};
use crate::support::onnxruntime::{compile, plain, with_openvino};
use crate::support::pipeline::Pipeline;

/// A library that says it is ONNX Runtime of that version, and whose interface is this expression.
fn fake(name: &str, version: &str, api: &str) -> Option<std::path::PathBuf> {
    let source = format!(
        "static const void *api(unsigned version) {{ return {api}; }}
         static const char *version(void) {{ return \"{version}\"; }}
         static const struct {{ const void *(*api)(unsigned); const char *(*version)(void); }} base = {{ api, version }};
         const void *OrtGetApiBase(void) {{ return &base; }}"
    );
    compile(name, &source, &[])
}

/// gpuinfer on ONNX Runtime out of `library`.
fn on(library: &Path) -> String {
    let model = onnx::detector(&[BALL]);
    format!(
        "backend=onnxruntime model={} onnxruntime-library={}",
        model.display(),
        library.display()
    )
}

#[test]
fn active_backend_says_what_runs() {
    let model = onnx::detector(&[BALL]);
    let model = model.display();
    let active = |properties: &str| {
        let line = format!(
            "videotestsrc num-buffers=1 ! {} ! gpuinfer name=infer model={model} {properties} ! fakesink",
            crate::gpuinfer::CAPS
        );
        let pipeline = Pipeline::parse(&line);
        let infer = pipeline.element("infer");
        let ask = || infer.property::<Option<String>>("active-backend");
        assert_eq!(ask(), None, "nothing runs yet");
        pipeline.run_to_eos();
        ask().unwrap()
    };
    assert!(active("backend=rten").starts_with("rten 0.27"));
    let Some(library) = plain() else {
        return;
    };
    let library = format!("onnxruntime-library={}", library.display());
    for backend in ["auto", "onnxruntime"] {
        let active = active(&format!("backend={backend} {library}"));
        assert_eq!(active, "onnxruntime 1.31.1, CPU");
    }
}

#[test]
fn a_library_of_an_old_version_is_refused_by_number() {
    let Some(library) = fake("old", "1.16.3", "api") else {
        return;
    };
    let text = refusal(&on(&library));
    assert!(text.contains("it is version 1.16.3, and 1.17"), "{text}");
    assert!(text.contains("onnxruntime-library"), "{text}");
}

#[test]
fn a_library_of_a_later_generation_is_refused() {
    if let Some(library) = fake("new", "2.0.0", "api") {
        let text = refusal(&on(&library));
        assert!(text.contains("it is version 2.0.0"), "{text}");
    }
    if let Some(library) = fake("poor", "1.20.0", "0") {
        let text = refusal(&on(&library));
        assert!(
            text.contains("lacks the interface of version 1.17"),
            "{text}"
        );
    }
}

#[test]
fn a_library_that_is_something_else_is_refused() {
    let Some(library) = compile("other", "int answer(void) { return 42; }", &[]) else {
        return;
    };
    let text = refusal(&on(&library));
    assert!(text.contains("does not export OrtGetApiBase"), "{text}");
    let text = refusal(&on(&onnx::write(b"this is a text")));
    assert!(
        text.contains("file too short") || text.contains("invalid ELF header"),
        "{text}"
    );
}

#[test]
fn the_linkers_words_name_the_library_that_is_missing() {
    let needed = "int needed(void) { return 1; }";
    let Some(missing) = compile("livetune-missing", needed, &[]) else {
        return;
    };
    let source =
        "int needed(void); const void *OrtGetApiBase(void) { return (void *)(long)needed(); }";
    let library = compile("incomplete", source, &["-llivetune-missing"]).unwrap();
    std::fs::remove_file(missing).unwrap();
    let text = refusal(&on(&library));
    let words = "liblivetune-missing.so: cannot open shared object file";
    assert!(text.contains(words), "{text}");
}

#[test]
fn a_path_that_is_not_there_or_relative_is_refused() {
    let text = refusal(&on(Path::new("/no/such/libonnxruntime.so")));
    assert!(text.contains("/no/such/libonnxruntime.so"), "{text}");
    assert!(text.contains("No such file"), "{text}");
    let text = refusal(&on(Path::new("libonnxruntime.so")));
    assert!(text.contains("no absolute path"), "{text}");
}

#[test]
fn a_variable_names_the_library_and_a_bad_one_is_a_warning() {
    let model = format!("model={}", onnx::detector(&[BALL]).display());
    let nowhere = Path::new("/no/such/libonnxruntime.so");
    let output = launch(&model, &[("LIVETUNE_ORT_PATH", nowhere)]);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("rten 0.27, CPU runs instead of ONNX Runtime"),
        "{text}"
    );
    assert!(text.contains("named by LIVETUNE_ORT_PATH"), "{text}");
    let Some(library) = plain() else {
        return;
    };
    for name in ["LIVETUNE_ORT_PATH", "ORT_DYLIB_PATH"] {
        let output = launch(&model, &[(name, library)]);
        let text = said(&output);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("on onnxruntime 1.31.1, CPU"), "{text}");
        assert!(!text.contains("WARNING"), "{text}");
    }
    // Ours comes first.
    let both = [("LIVETUNE_ORT_PATH", library), ("ORT_DYLIB_PATH", nowhere)];
    let text = said(&launch(&model, &both));
    assert!(text.contains("on onnxruntime 1.31.1, CPU"), "{text}");
}

#[test]
fn a_second_library_in_one_process_is_refused() {
    let (Some(first), Some(second)) = (plain(), with_openvino()) else {
        return;
    };
    let properties = format!("{} ! gpuinfer {}", on(first), on(second));
    let text = refusal(&properties);
    assert!(
        text.contains("a process can run one ONNX Runtime only"),
        "{text}"
    );
    let properties = format!("{} ! gpuinfer {}", on(first), on(first));
    assert!(launch(&properties, &[]).status.success());
}
