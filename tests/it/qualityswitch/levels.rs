//! What comes out at each level.

use super::rig::{CAMERA, Rig, SECOND, SIZES};

#[test]
fn a_level_set_while_playing_holds_from_the_next_frame_on() {
    let mut rig = Rig::at_level(CAMERA, "medium");
    let sizes = [
        ("medium", (1280, 720)),
        ("low", (640, 360)),
        ("ultra-low", (426, 240)),
        ("ultra-high", (1280, 720)),
        ("low", (640, 360)),
    ];
    for (number, (level, size)) in sizes.into_iter().enumerate() {
        rig.set_level(level);
        rig.push(number as u64 * 30);
        assert_eq!(rig.size(), size, "{level}");
        assert_eq!(rig.level().as_deref(), Some(level));
        let buffer = rig.harness.pull().unwrap();
        let info = gst_video::VideoInfo::from_caps(&rig.caps()).unwrap();
        assert_eq!(buffer.size(), info.size(), "{level}");
    }
}

#[test]
fn each_level_sends_its_frame_rate_under_the_caps_of_the_input() {
    for (level, expected) in [
        ("high", 300),
        ("medium", 250),
        ("low", 200),
        ("ultra-low", 150),
    ] {
        let mut rig = Rig::at_level(CAMERA, level);
        (0..300).for_each(|number| rig.push(number));
        let times = rig.pulled();
        assert_eq!(times.len(), expected, "{level}");
        let camera: Vec<_> = (0..300).map(|n| Some(n * SECOND / 30)).collect();
        assert!(times.iter().all(|time| camera.contains(time)));
        assert!(times.is_sorted());
        let rate = rig.caps().structure(0).unwrap().get("framerate");
        assert_eq!(rate, Ok(gst::Fraction::new(30, 1)), "{level}");
        assert_eq!(rig.count("frames-in"), 300);
        assert_eq!(rig.count("frames-out"), expected as u64);
        assert_eq!(rig.count("frames-dropped"), 300 - expected as u64);
    }
}

#[test]
fn no_frame_is_lost_where_the_size_changes() {
    let mut rig = Rig::new(CAMERA, &[("auto", "false"), ("ladder", SIZES)]);
    let mut expected = Vec::new();
    for number in 0..200 {
        rig.set_level(["large", "middle", "small"][(number % 7 % 3) as usize]);
        rig.push(number);
        expected.push(Some(number * SECOND / 30));
    }
    assert_eq!(rig.pulled(), expected);
    assert!(rig.count("switches") > 100);
}

#[test]
fn the_size_of_the_input_passes_without_a_copy() {
    let mut rig = Rig::at_level(CAMERA, "high");
    for number in 0..5 {
        let frame = rig.frame(Some(number * SECOND / 30));
        let memory = frame.peek_memory(0).as_ptr();
        let out = rig.harness.push_and_pull(frame).unwrap();
        assert_eq!(out.peek_memory(0).as_ptr(), memory);
        rig.set_level("low");
        rig.push(number);
        rig.set_level("high");
        rig.pulled();
    }
}

#[test]
fn odd_video_passes_untouched_at_the_top_and_is_even_below() {
    let camera = "video/x-raw,format=I420,width=641,height=359,framerate=30/1";
    let mut rig = Rig::at_level(camera, "high");
    let frame = rig.frame(Some(0));
    let memory = frame.peek_memory(0).as_ptr();
    let out = rig.harness.push_and_pull(frame).unwrap();
    assert_eq!(out.peek_memory(0).as_ptr(), memory);
    assert_eq!(rig.size(), (641, 359));
    rig.set_level("ultra-low");
    rig.push(1);
    assert_eq!(rig.size(), (426, 238));
}

#[test]
fn a_side_rounded_to_even_adds_no_black_border() {
    let camera = "video/x-raw,format=GRAY8,width=4000,height=30,framerate=30/1";
    let mut rig = Rig::at_level(camera, "ultra-low");
    rig.push(0);
    assert_eq!(rig.size(), (426, 4));
    let info = gst_video::VideoInfo::from_caps(&rig.caps()).unwrap();
    let buffer = rig.harness.pull().unwrap();
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(&buffer, &info).unwrap();
    let stride = info.stride()[0] as usize;
    for line in frame.plane_data(0).unwrap().chunks(stride) {
        assert!(line[..426].iter().all(|pixel| *pixel == 128));
    }
}

#[test]
fn upright_video_stays_upright() {
    let camera = "video/x-raw,format=NV12,width=720,height=1280,framerate=30/1";
    let mut rig = Rig::at_level(camera, "low");
    rig.push(0);
    assert_eq!(rig.size(), (360, 640));
}

#[test]
fn pixels_keep_their_shape() {
    let camera =
        "video/x-raw,format=I420,width=720,height=576,framerate=25/1,pixel-aspect-ratio=64/45";
    let mut rig = Rig::at_level(camera, "low");
    rig.push(0);
    assert_eq!(rig.size(), (450, 360));
    let shape = rig.caps().structure(0).unwrap().get("pixel-aspect-ratio");
    assert_eq!(shape, Ok(gst::Fraction::new(64, 45)));
    let mut square = Rig::at_level(CAMERA, "ultra-low");
    square.push(0);
    let shape = square
        .caps()
        .structure(0)
        .unwrap()
        .get("pixel-aspect-ratio");
    assert_eq!(shape, Ok(gst::Fraction::new(1, 1)));
}

#[test]
fn interlaced_video_is_scaled_and_stays_interlaced() {
    let camera =
        "video/x-raw,format=I420,width=720,height=576,framerate=25/1,interlace-mode=interleaved";
    let mut rig = Rig::at_level(camera, "high");
    rig.push(0);
    assert_eq!(rig.size(), (720, 576));
    rig.set_level("low");
    rig.push(30);
    assert_eq!(rig.size(), (450, 360));
    let mode = rig
        .caps()
        .structure(0)
        .unwrap()
        .get::<String>("interlace-mode");
    assert_eq!(mode.as_deref(), Ok("interleaved"));
}

#[test]
fn fields_in_buffers_of_their_own_pass_all() {
    let camera = "video/x-raw(format:Interlaced),format=I420,width=720,height=576,framerate=25/1,\
                  interlace-mode=alternate";
    let mut rig = Rig::at_level(camera, "ultra-low");
    (0..30).for_each(|number| rig.push(number));
    assert_eq!(rig.pulled().len(), 30);
    assert!(rig.warning().unwrap().contains("its own size"));
}

#[test]
fn video_in_other_memory_passes_with_fewer_frames_and_a_warning() {
    let camera = "video/x-raw(memory:Elsewhere),format=I420,width=1280,height=720,framerate=30/1";
    let mut rig = Rig::at_level(camera, "ultra-low");
    (0..30).for_each(|number| rig.push(number));
    assert_eq!(rig.pulled().len(), 15);
    assert_eq!(rig.size(), (1280, 720));
    assert!(
        rig.warning()
            .unwrap()
            .contains("memory that the scaler (videoscale) does not take")
    );
    assert_eq!(rig.warning(), None);
    rig.set_caps("video/x-raw(memory:Elsewhere),format=I420,width=640,height=480,framerate=30/1");
    rig.push(30);
    assert_eq!(rig.warning(), None, "said once");
}

#[test]
fn other_memory_is_taken_in_the_middle_of_the_stream() {
    let mut rig = Rig::at_level(CAMERA, "low");
    rig.push(0);
    assert_eq!(rig.size(), (640, 360));
    rig.set_caps("video/x-raw(memory:Elsewhere),format=I420,width=1280,height=720,framerate=30/1");
    rig.push(30);
    assert_eq!(rig.size(), (1280, 720));
    rig.set_caps(CAMERA);
    rig.push(60);
    assert_eq!(rig.size(), (640, 360));
}

#[test]
fn an_unknown_frame_rate_is_held_down_by_the_time_stamps() {
    let camera = "video/x-raw,format=I420,width=640,height=360,framerate=0/1";
    let mut rig = Rig::at_level(camera, "ultra-low");
    (0..300).for_each(|number| rig.push(number));
    assert_eq!(rig.pulled().len(), 150);
}

#[test]
fn frames_without_a_time_stamp_are_never_dropped() {
    let mut rig = Rig::at_level(CAMERA, "ultra-low");
    for _ in 0..20 {
        let frame = rig.frame(None);
        rig.harness.push(frame).unwrap();
    }
    assert_eq!(rig.pulled(), [None; 20]);
    assert_eq!(rig.count("frames-untimed"), 20);
    assert_eq!(rig.size(), (426, 240));
}

#[test]
fn a_list_of_frames_is_thinned_out_like_single_ones() {
    let mut rig = Rig::at_level(CAMERA, "ultra-low");
    let mut list = gst::BufferList::new();
    for number in 0..30 {
        let frame = rig.frame(Some(number * SECOND / 30));
        list.get_mut().unwrap().add(frame);
    }
    let source = rig.harness.srcpad().unwrap();
    gst::prelude::PadExt::push_list(&source, list).unwrap();
    assert_eq!(rig.pulled().len(), 15);
}

#[test]
fn a_new_input_is_fitted_while_on_a_low_rung() {
    let mut rig = Rig::at_level(CAMERA, "low");
    rig.push(0);
    rig.set_caps("video/x-raw,format=I420,width=1024,height=768,framerate=15/1");
    rig.push(30);
    assert_eq!(rig.size(), (480, 360));
    rig.set_caps("video/x-raw,format=NV12,width=160,height=120,framerate=15/1");
    rig.push(60);
    assert_eq!(rig.size(), (160, 120));
    rig.set_caps(CAMERA);
    rig.push(90);
    assert_eq!(rig.size(), (640, 360));
    assert_eq!(rig.level().as_deref(), Some("low"));
}
