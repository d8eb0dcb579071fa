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
        regions: Regions::default(),
        thresholds: job.thresholds.clone(),
    }
}

fn open(path: PathBuf, key: &str) -> Arc<Instance> {
    gst::init().expect("GStreamer starts");
    let request = Request {
        path,
        engine: EngineOptions::default(),
        model: ModelOptions::default(),
        schedule: ScheduleOptions::default(),
        key: Some(key.to_owned()),
    };
    let (instance, warnings) = Instance::open(&request).expect("it opens");
    assert_eq!(warnings, [""; 0]);
    instance
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
    let instance = open(model, "sixteen");
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

/// Cameras that nobody waits for: every frame is submitted when it is due.
struct Cameras {
    listeners: Vec<Listener>,
    /// Stream, ticket and time of submission of frames whose outcome is not known.
    open: Vec<(usize, u64, MediaTime)>,
    sent: [Option<MediaTime>; 16],
    /// A test that gets no processor time sends late.
    longest_gap: Duration,
    served: Vec<u32>,
    ages: Vec<Duration>,
}

impl Cameras {
    const INTERVAL: Duration = Duration::from_millis(40);

    fn send(&mut self, stream: usize, job: &Job) {
        let now = clock::monotonic();
        let gap = self.sent[stream].map(|sent| now.since(sent));
        self.longest_gap = self.longest_gap.max(gap.unwrap_or_default());
        self.sent[stream] = Some(now);
        let deadline = now.after(Self::INTERVAL * 3);
        let ticket = self.listeners[stream]
            .stream
            .submit(again(job), deadline, now);
        self.open.push((stream, ticket, now));
        self.collect();
    }

    fn collect(&mut self) {
        let (listeners, served, ages) = (&self.listeners, &mut self.served, &mut self.ages);
        self.open.retain(|(stream, ticket, submitted)| {
            let outcome = listeners[*stream].stream.take(*ticket);
            if let Some(Outcome::Found(answer)) = &outcome {
                served[*stream] += 1;
                ages.push(answer.finished.since(*submitted));
            }
            outcome.is_none()
        });
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures are worth seeing")]
fn sixteen_cameras_that_are_too_many_share_fairly_and_get_young_answers() {
    let model = shared("models/yolox_nano.onnx");
    let (Some(model), Some(astronaut)) = (model, shared("images/astronaut.png")) else {
        return;
    };
    let instance = open(model, "overload");
    let job = picture(&astronaut);
    let mut cameras = Cameras {
        listeners: (0..16).map(|_| Listener::new(&instance, 1)).collect(),
        open: Vec::new(),
        sent: [None; 16],
        longest_gap: Cameras::INTERVAL,
        served: vec![0; 16],
        ages: Vec::new(),
    };
    let start = clock::monotonic();
    let step = Cameras::INTERVAL / 16;
    for frame in 0..16 * 150_u32 {
        let due = start.after(step * frame);
        eventually("the next frame", || clock::monotonic() >= due);
        cameras.send(frame as usize % 16, &job);
    }
    let cost = instance.cost(1);
    cameras.ages.sort_unstable();
    let p95 = cameras.ages[cameras.ages.len() * 95 / 100];
    let (least, most) = (cameras.served.iter().min(), cameras.served.iter().max());
    eprintln!(
        "served {:?}, p95 age {p95:?}, p95 cost {cost:?}",
        cameras.served
    );
    assert!(
        most <= least.map(|least| least + 2).as_ref(),
        "{:?}",
        cameras.served
    );
    let bound = cost * 2 + cameras.longest_gap;
    assert!(p95 <= bound, "{p95:?}, a run takes {cost:?}");
}
