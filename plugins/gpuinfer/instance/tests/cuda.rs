//! Frames in CUDA memory, on a GPU that is played.

use super::super::network::{Facts, Network, Opened, Source};
use super::*;
use crate::gpuinfer::DecoderChoice;
use crate::gpuinfer::cuda::tests::stage::{Gstreamer, Player, Recorder, frame, is_on};
use crate::gpuinfer::detector::Detector;
use crate::runtime::figures::structure;

/// Detectors on the GPU that see nothing.
struct Recorders;

impl Source for Recorders {
    fn open(&self, _: u32) -> Result<Opened, gst::ErrorMessage> {
        let options = ModelOptions {
            decoder: DecoderChoice::Raw,
            ..ModelOptions::default()
        };
        let detector = Detector::new(Box::new(Recorder::new()), &options).expect("understood");
        let network: Box<dyn Network> = Box::new(detector);
        Ok(Opened {
            network,
            facts: Facts {
                active: "played".to_owned(),
                device: ActiveDevice::Accelerator,
                terms: Arc::default(),
                warnings: Vec::new(),
            },
        })
    }
}

fn recorders() -> Arc<Instance> {
    let about = About {
        threads: 0,
        cores: 1,
        model_bytes: 0,
    };
    let schedule = ScheduleOptions::default();
    Arc::new(Instance::start(Box::new(Recorders), &schedule, about).expect("it opens"))
}

/// How many frames were looked at where they are, and how many were downloaded.
fn places(instance: &Instance) -> (u64, u64) {
    let stats = structure("stats", &instance.figures());
    let count = |name| stats.get::<u64>(name).expect("a count");
    (count("cuda-frames"), count("downloaded"))
}

/// What becomes of `buffer`, a frame of `info`.
fn submit(listener: &Listener, buffer: &gst::Buffer, info: &VideoInfo) -> Outcome {
    let job = Job {
        buffer: buffer.clone(),
        info: info.clone(),
        ..job(0)
    };
    let ticket = listener.stream.submit(job, NEVER, clock::monotonic());
    listener.wait(ticket)
}

fn nv12() -> VideoInfo {
    let info = VideoInfo::builder(VideoFormat::Nv12, 320, 240).build();
    info.expect("a format that is known")
}

#[test]
fn frames_of_a_network_on_the_gpu_stay_there_until_it_is_lost() {
    let name = concat!(
        module_path!(),
        "::frames_of_a_network_on_the_gpu_stay_there_until_it_is_lost"
    );
    if !is_on(name, &[], &[]) {
        return;
    }
    let Some(gstreamer) = Gstreamer::open() else {
        return;
    };
    let instance = recorders();
    let listener = Listener::new(&instance, 1);
    let info = nv12();
    let buffer = gstreamer.upload(&frame(&info, 1), &info, true);
    for _ in 0..3 {
        let outcome = submit(&listener, &buffer, &info);
        assert!(matches!(outcome, Outcome::Found(_)), "{outcome:?}");
    }
    assert_eq!(places(&instance), (3, 0));
    assert!(instance.news(0).is_empty());
    Player::here().lose();
    let outcome = submit(&listener, &buffer, &info);
    let Outcome::Failed(why) = outcome else {
        unreachable!("{outcome:?}");
    };
    assert!(why.contains("CUDA error 719"), "{why}");
    // The GPU holds the frame, so it is lost too; one in main memory is not.
    let outcome = submit(&listener, &frame(&info, 2), &info);
    assert!(matches!(outcome, Outcome::Found(_)), "{outcome:?}");
}

#[test]
fn frames_of_a_network_that_is_not_on_the_gpu_are_downloaded_and_that_is_said_once() {
    let name = concat!(
        module_path!(),
        "::frames_of_a_network_that_is_not_on_the_gpu_are_downloaded_and_that_is_said_once"
    );
    if !is_on(
        name,
        &[],
        &[("LIVETUNE_NVRTC_PATH", "/no/such/libnvrtc.so")],
    ) {
        return;
    }
    let Some(gstreamer) = Gstreamer::open() else {
        return;
    };
    let instance = recorders();
    let listener = Listener::new(&instance, 1);
    let info = nv12();
    let plain = frame(&info, 1);
    for has_meta in [true, false] {
        let buffer = gstreamer.upload(&plain, &info, has_meta);
        let outcome = submit(&listener, &buffer, &info);
        assert!(matches!(outcome, Outcome::Found(_)), "{outcome:?}");
    }
    assert_eq!(places(&instance), (0, 2));
    let news = instance.news(0);
    assert_eq!(news.len(), 1, "{news:?}");
    assert!(
        news[0].contains("each is downloaded, which is slow (there is no libnvrtc.so"),
        "{news:?}"
    );
}
