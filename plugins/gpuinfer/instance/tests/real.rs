//! A real network on real pictures, shared.

use std::path::Path;

use gst::prelude::*;

use super::*;

const PERSON: usize = 0;
const CAT: usize = 15;

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn shared(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(path);
    if !file.exists() {
        eprintln!("SKIP: {} is not here", file.display());
    }
    file.exists().then_some(file)
}

/// The picture in `file`, as NV12 of 640 by 360.
fn picture(file: &Path) -> Job {
    let info = VideoInfo::builder(VideoFormat::Nv12, 640, 360).build();
    let info = info.expect("a format that is known");
    let caps = info.to_caps().expect("caps");
    let path = file.display();
    let line = format!(
        "filesrc location={path} ! pngdec ! videoconvert ! videoscale ! {caps} ! fakesink name=sink enable-last-sample=true"
    );
    let pipeline = gst::parse::launch(&line).expect("a pipeline");
    pipeline.set_state(gst::State::Playing).expect("it plays");
    let bus = pipeline.bus().expect("a bus");
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let limit = gst::ClockTime::from_seconds(LIMIT.as_secs());
    let message = bus.timed_pop_filtered(limit, &end).expect("an end");
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
    let bin = pipeline.downcast_ref::<gst::Bin>().expect("a bin");
    let sink = bin.by_name("sink").expect("a sink");
    let sample: gst::Sample = sink.property("last-sample");
    pipeline.set_state(gst::State::Null).expect("it stops");
    Job {
        buffer: sample.buffer_owned().expect("a picture"),
        info,
        ..job(0)
    }
}

fn again(job: &Job) -> Job {
    Job {
        buffer: job.buffer.clone(),
        info: job.info.clone(),
        regions: Vec::new(),
        thresholds: job.thresholds,
    }
}

#[test]
fn sixteen_streams_share_yolox_and_each_sees_its_own_picture() {
    let model = shared("models/yolox_nano.onnx");
    let (Some(model), Some(astronaut), Some(cat)) = (
        model,
        shared("images/astronaut.png"),
        shared("images/chelsea.png"),
    ) else {
        return;
    };
    gst::init().expect("GStreamer starts");
    let request = Request {
        path: model,
        engine: EngineOptions::default(),
        model: ModelOptions::default(),
        schedule: ScheduleOptions::default(),
        key: Some("sixteen".to_owned()),
    };
    let (instance, _) = Instance::open(&request).expect("it opens");
    let pictures = [(picture(&astronaut), PERSON), (picture(&cat), CAT)];
    std::thread::scope(|scope| {
        for stream in 0..16 {
            let (instance, (job, class)) = (&instance, &pictures[stream % 2]);
            scope.spawn(move || {
                let listener = Listener::new(instance, 1);
                for _ in 0..3 {
                    let ticket = listener
                        .stream
                        .submit(again(job), NEVER, clock::monotonic());
                    let Outcome::Found(answer) = listener.wait(ticket) else {
                        unreachable!("nothing else was sent");
                    };
                    let best = answer.found()[0].objects.first().map(|object| object.class);
                    assert_eq!(best, Some(*class));
                }
            });
        }
    });
    assert_eq!(instance.floor.present().streams, 0);
    assert!(instance.cost(1) > Duration::from_millis(1));
}
