//! Who shares what.

use std::fs;
use std::path::Path;

use super::*;
use crate::gpuinfer::engine::Backend;

fn request(path: impl Into<PathBuf>) -> Request {
    gst::init().expect("GStreamer starts");
    Request {
        path: path.into(),
        engine: EngineOptions::default(),
        model: ModelOptions::default(),
        schedule: ScheduleOptions::default(),
        key: Some(format!("{:?}", std::thread::current().id())),
    }
}

fn shapes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/shapes.onnx")
}

fn open(request: &Request) -> Arc<Instance> {
    let (instance, warnings) = Instance::open(request).expect("it opens");
    assert_eq!(warnings, [""; 0]);
    instance
}

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("livetune-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_same_model_by_another_path_is_the_same_network() {
    let folder = Folder::new("copy");
    let copy = folder.0.join("copy.onnx");
    fs::copy(shapes(), &copy).expect("copied");
    let mut requests = [request(shapes()), request(copy)];
    for named in [true, false] {
        if !named {
            let delay = Duration::from_millis(123);
            for request in &mut requests {
                request.key = None;
                request.schedule.max_queue_delay = delay;
            }
        }
        let (one, other) = (open(&requests[0]), open(&requests[1]));
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!(one.active(), other.active());
        assert!(one.active().ends_with("CPU"), "{}", one.active());
        assert_eq!(one.terms().labels.name(0), "class 0");
    }
}

#[test]
fn other_options_are_another_network_and_so_is_another_name() {
    let one = Request {
        key: None,
        ..request(shapes())
    };
    let mut other = one.clone();
    other.engine.threads = 1;
    assert!(!Arc::ptr_eq(&open(&one), &open(&other)));
    let first = open(&one);
    other = one.clone();
    other.key = Some("front door".to_owned());
    assert!(!Arc::ptr_eq(&first, &open(&other)));
}

#[test]
fn who_shares_by_name_but_wants_other_options_is_warned() {
    let one = request(shapes());
    let first = open(&one);
    let mut other = one.clone();
    other.schedule.sessions = 2;
    let (second, warnings) = Instance::open(&other).expect("it opens");
    assert!(Arc::ptr_eq(&first, &second));
    let [warning] = &warnings[..] else {
        unreachable!("{warnings:?}");
    };
    assert!(warning.contains("other options"), "{warning}");
}

#[test]
fn a_model_swapped_on_disk_is_another_network() {
    let folder = Folder::new("swap");
    let path = folder.0.join("model.onnx");
    fs::copy(shapes(), &path).expect("copied");
    let request = request(&path);
    let before = open(&request);
    assert!(Arc::ptr_eq(&before, &open(&request)));
    let mut bytes = fs::read(&path).expect("read");
    // An empty field more, of a number that nobody knows: the same network in another file.
    bytes.extend([0xfa, 0x7f, 0x00]);
    fs::write(&path, bytes).expect("written");
    assert!(!Arc::ptr_eq(&before, &open(&request)));
}

#[test]
fn further_sessions_share_what_was_loaded() {
    let folder = Folder::new("fork");
    let path = folder.0.join("model.onnx");
    fs::copy(shapes(), &path).expect("copied");
    let mut request = request(&path);
    request.engine.backend = Backend::Rten;
    request.schedule.sessions = 2;
    let instance = open(&request);
    // What is gone cannot be read again.
    fs::remove_file(&path).expect("removed");
    let listener = Listener::new(&instance, 1);
    eventually("two sessions", || instance.floor.present().sessions == 2);
    let ticket = listener.submit(9);
    assert!(matches!(listener.wait(ticket), Outcome::Found(_)));
}

#[test]
fn a_network_ends_with_the_last_who_wants_it() {
    let request = request(shapes());
    let instance = open(&request);
    let weak = Arc::downgrade(&instance);
    let bell = Arc::new(Bell::default());
    let stream = instance.join(1, bell.wake());
    drop(instance);
    assert!(weak.upgrade().is_some());
    drop(stream);
    assert!(weak.upgrade().is_none());
    assert!(open(&request).trouble().is_none());
}

#[test]
fn many_who_open_at_the_same_time_get_one_network() {
    let request = request(shapes());
    let opened = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| lock(&opened).push(open(&request)));
        }
    });
    let opened = lock(&opened);
    assert!(opened.iter().all(|other| Arc::ptr_eq(&opened[0], other)));
}

#[test]
fn what_is_no_model_is_refused_with_words_that_help() {
    let why = |request: &Request| {
        let refused = Instance::open(request).err().expect("refused");
        refused.to_string()
    };
    let missing = why(&request("/no/such.onnx"));
    assert!(
        missing.contains("/no/such.onnx") && missing.contains("model"),
        "{missing}"
    );
    let folder = why(&request(env!("CARGO_MANIFEST_DIR")));
    assert!(folder.contains("no file"), "{folder}");
    let text = why(&request(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")));
    assert!(text.contains("ONNX"), "{text}");
}
