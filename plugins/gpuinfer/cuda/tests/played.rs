//! Frames in CUDA memory from GStreamer's own library to the tensor, on a GPU that is played.

use gst_video::{VideoFormat, VideoFrameRef, VideoInfo};
use livetune_core::infer::{Found, Region, Size, Thresholds};

use super::stage::{Gstreamer, Player, Recorder, SIDE, frame, is_on};
use crate::gpuinfer::DecoderChoice;
use crate::gpuinfer::cuda::{Mapped, is_cuda};
use crate::gpuinfer::detector::{Detector, Work};
use crate::gpuinfer::options::ModelOptions;
use crate::gpuinfer::picture::Picture;
use crate::runtime::lock::lock;

macro_rules! name {
    ($test:ident) => {
        concat!(module_path!(), "::", stringify!($test))
    };
}

fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    let info = VideoInfo::builder(format, width, height).build();
    info.expect("a format that is known")
}

/// A detector on the GPU, and what it saw last.
struct Watched {
    detector: Detector,
    seen: std::sync::Arc<std::sync::Mutex<(Vec<f32>, bool)>>,
}

impl Watched {
    fn new() -> Self {
        let recorder = Recorder::new();
        let seen = recorder.seen.clone();
        let options = ModelOptions {
            decoder: DecoderChoice::Raw,
            ..ModelOptions::default()
        };
        let detector = Detector::new(Box::new(recorder), &options).expect("understood");
        Self { detector, seen }
    }

    /// What the network is given for `parts` of pictures, and whether on the GPU.
    fn look(
        &mut self,
        parts: &[(&Picture<'_>, Option<Region>)],
    ) -> Result<(Vec<f32>, bool), String> {
        let thresholds = Thresholds::default();
        let mut found = vec![Found::default(); parts.len()];
        let works = parts.iter().zip(&mut found);
        let mut works: Vec<Work<'_>> = works
            .map(|(&(picture, region), found)| Work {
                picture,
                region,
                thresholds: &thresholds,
                found,
            })
            .collect();
        self.detector.detect(&mut works)?;
        drop(works);
        assert!(found.iter().all(|found| found.failure.is_none()));
        Ok(lock(&self.seen).clone())
    }
}

/// Whether two tensors are the same to a level of 255, of which the detector's numbers are.
fn check(what: &str, tensor: &[f32], expected: &[f32]) {
    assert_eq!(tensor.len(), expected.len(), "{what}");
    for (at, (number, expected)) in tensor.iter().zip(expected).enumerate() {
        let is_near = (number - expected).abs() <= 1.001 / 255.0;
        assert!(is_near, "{what} at {at}: {number} for {expected}");
    }
}

#[test]
fn a_frame_in_cuda_memory_becomes_the_tensor_of_that_frame_in_main_memory() {
    if !is_on(
        name!(a_frame_in_cuda_memory_becomes_the_tensor_of_that_frame_in_main_memory),
        &[],
        &[],
    ) {
        return;
    }
    let Some(gstreamer) = Gstreamer::open() else {
        return;
    };
    let player = Player::here();
    let mut watched = Watched::new();
    assert_eq!(watched.detector.takes_cuda(), Ok(()));
    for format in crate::gpuinfer::cuda::FORMATS {
        for (width, height) in [(322, 180), (64, 64), (50, 98)] {
            let info = info(format, width, height);
            let plain = frame(&info, 1);
            assert!(!is_cuda(&plain));
            let view = VideoFrameRef::from_buffer_ref_readable(&plain, &info).expect("a frame");
            let picture = Picture::of(&view, Size::new(width, height)).expect("a picture");
            let (expected, on_device) = watched.look(&[(&picture, None)]).expect("seen");
            assert!(!on_device);
            for has_meta in [true, false] {
                let buffer = gstreamer.upload(&plain, &info, has_meta);
                assert!(is_cuda(&buffer));
                let mapped = Mapped::of(&buffer, &info).expect("mapped");
                let picture = Picture::on_device(&mapped, &info);
                let (tensor, on_device) = watched.look(&[(&picture, None)]).expect("seen");
                assert!(on_device);
                check(&format!("{format:?} {width}x{height}"), &tensor, &expected);
            }
        }
    }
    let rounds = crate::gpuinfer::cuda::FORMATS.len() as i32 * 3 * 2;
    assert_eq!((player.kernels(), player.copies()), (rounds, rounds));
}

#[test]
fn a_batch_has_frames_of_both_memories_and_parts_of_them() {
    if !is_on(
        name!(a_batch_has_frames_of_both_memories_and_parts_of_them),
        &[],
        &[],
    ) {
        return;
    }
    let Some(gstreamer) = Gstreamer::open() else {
        return;
    };
    let player = Player::here();
    let mut watched = Watched::new();
    let infos = [
        info(VideoFormat::Nv12, 320, 180),
        info(VideoFormat::Bgrx, 99, 140),
    ];
    let frames = [frame(&infos[0], 2), frame(&infos[1], 3)];
    let views = [0, 1].map(|at| {
        VideoFrameRef::from_buffer_ref_readable(&frames[at], &infos[at]).expect("a frame")
    });
    let size = |info: &VideoInfo| Size::new(info.width(), info.height());
    let plain = [0, 1].map(|at| Picture::of(&views[at], size(&infos[at])).expect("a picture"));
    let part = Region {
        left: 31,
        top: 20,
        width: 55,
        height: 47,
    };
    let (expected, _) = watched
        .look(&[
            (&plain[0], None),
            (&plain[0], Some(part)),
            (&plain[1], Some(part)),
            (&plain[0], None),
        ])
        .expect("seen");
    let buffer = gstreamer.upload(&frames[0], &infos[0], true);
    let mapped = Mapped::of(&buffer, &infos[0]).expect("mapped");
    let there = Picture::on_device(&mapped, &infos[0]);
    let (tensor, on_device) = watched
        .look(&[
            (&there, None),
            (&there, Some(part)),
            (&plain[1], Some(part)),
            (&there, None),
        ])
        .expect("seen");
    assert!(on_device);
    check(
        "four pictures",
        &tensor[..4 * 3 * SIDE * SIDE],
        &expected[..4 * 3 * SIDE * SIDE],
    );
    assert_eq!(
        player.copies(),
        2,
        "one for two parts of a frame, and one when it comes again"
    );
}

#[test]
fn all_that_was_taken_is_given_back() {
    if !is_on(name!(all_that_was_taken_is_given_back), &[], &[]) {
        return;
    }
    let Some(gstreamer) = Gstreamer::open() else {
        return;
    };
    let player = Player::here();
    let before = player.left();
    for _ in 0..3 {
        let mut watched = Watched::new();
        let small = info(VideoFormat::Nv12, 64, 48);
        let large = info(VideoFormat::I420, 640, 480);
        for info in [small, large] {
            let buffer = gstreamer.upload(&frame(&info, 4), &info, true);
            let mapped = Mapped::of(&buffer, &info).expect("mapped");
            let picture = Picture::on_device(&mapped, &info);
            watched.look(&[(&picture, None)]).expect("seen");
        }
        assert!(player.left() > before);
    }
    assert_eq!(player.left(), before);
}

#[test]
fn memory_that_belongs_to_no_context_is_read_as_well() {
    if !is_on(
        name!(memory_that_belongs_to_no_context_is_read_as_well),
        &[],
        &[],
    ) {
        return;
    }
    let Some(gstreamer) = Gstreamer::open() else {
        return;
    };
    let mut watched = Watched::new();
    let info = info(VideoFormat::Nv12, 128, 96);
    let plain = frame(&info, 5);
    let own = gstreamer.upload(&plain, &info, true);
    Player::here().homeless();
    let nobodys = gstreamer.upload(&plain, &info, true);
    let tensors = [own, nobodys].map(|buffer| {
        let mapped = Mapped::of(&buffer, &info).expect("mapped");
        let picture = Picture::on_device(&mapped, &info);
        watched.look(&[(&picture, None)]).expect("seen").0
    });
    assert_eq!(tensors[0], tensors[1]);
    let view = VideoFrameRef::from_buffer_ref_readable(&plain, &info).expect("a frame");
    let picture = Picture::of(&view, Size::new(128, 96)).expect("a picture");
    let (expected, _) = watched.look(&[(&picture, None)]).expect("seen");
    check("memory of nobody", &tensors[1], &expected);
}

#[test]
fn a_gpu_that_is_lost_is_an_error_and_no_frame_is_tried_there_again() {
    if !is_on(
        name!(a_gpu_that_is_lost_is_an_error_and_no_frame_is_tried_there_again),
        &[],
        &[],
    ) {
        return;
    }
    let Some(gstreamer) = Gstreamer::open() else {
        return;
    };
    let mut watched = Watched::new();
    let info = info(VideoFormat::Nv12, 128, 96);
    let buffer = gstreamer.upload(&frame(&info, 6), &info, true);
    let mapped = Mapped::of(&buffer, &info).expect("mapped");
    let picture = Picture::on_device(&mapped, &info);
    watched.look(&[(&picture, None)]).expect("seen");
    Player::here().lose();
    let why = watched.look(&[(&picture, None)]).expect_err("lost");
    assert!(
        why.contains("CUDA error 719 CUDA_ERROR_LAUNCH_FAILED: it is played"),
        "{why}"
    );
    assert_eq!(watched.detector.takes_cuda(), Err(why));
    assert!(Watched::new().detector.takes_cuda().is_err());
}

#[test]
fn a_stream_that_nobody_can_wait_for_keeps_the_frame_from_being_read_there() {
    if !is_on(
        name!(a_stream_that_nobody_can_wait_for_keeps_the_frame_from_being_read_there),
        &[],
        &[],
    ) {
        return;
    }
    let Some(gstreamer) = Gstreamer::open() else {
        return;
    };
    let info = info(VideoFormat::Nv12, 128, 96);
    let buffer = gstreamer.upload(&frame(&info, 7), &info, true);
    let memory = buffer.peek_memory(0).as_ptr().cast_mut();
    // SAFETY: nobody else has it. The flag is that of GStreamer 1.24, whose function 1.22 does not have.
    unsafe { (*memory).mini_object.flags |= gst::ffi::GST_MEMORY_FLAG_LAST << 2 };
    if gst::version() < (1, 24, 0, 0) {
        let why = Mapped::of(&buffer, &info).err().expect("refused");
        assert!(why.contains("cannot say when it is ready"), "{why}");
    } else {
        assert!(Mapped::of(&buffer, &info).is_ok());
    }
}

#[test]
fn a_missing_compiler_is_a_reason() {
    let variables = [("LIVETUNE_NVRTC_PATH", "/no/such/libnvrtc.so")];
    if !is_on(name!(a_missing_compiler_is_a_reason), &[], &variables) {
        return;
    }
    let why = Watched::new().detector.takes_cuda().expect_err("refused");
    assert!(why.contains("there is no libnvrtc.so"), "{why}");
}

#[test]
fn a_driver_that_lacks_a_function_is_not_called() {
    if !is_on(
        name!(a_driver_that_lacks_a_function_is_not_called),
        &["-DOLD"],
        &[],
    ) {
        return;
    }
    let why = Watched::new().detector.takes_cuda().expect_err("refused");
    assert!(
        why.contains("too old, it has no cuMemcpyPeerAsync"),
        "{why}"
    );
    assert_eq!(Player::here().left(), 0);
}

#[test]
fn without_a_driver_there_is_a_reason_and_no_panic() {
    gst::init().expect("GStreamer starts");
    // SAFETY: nothing of it is called.
    if unsafe { libloading::Library::new("libcuda.so.1") }.is_ok() {
        return super::skip("there is a driver");
    }
    let before = crate::runtime::guard::panics();
    let why = Watched::new().detector.takes_cuda().expect_err("refused");
    assert!(why.contains("there is no libcuda.so.1"), "{why}");
    assert_eq!(crate::runtime::guard::panics(), before);
}
