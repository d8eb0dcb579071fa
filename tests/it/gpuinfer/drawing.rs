//! Boxes in the picture, and nothing else.

use gst::prelude::*;
use gst_check::Harness;
use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFrameRef, VideoInfo};

use super::{BALL, BALL_RECT, frame, harness, onnx, running, video_info};
use crate::support::init;
use crate::support::pipeline::stats;

/// Lines of this thickness at this size.
const THICKNESS: u32 = 2;
/// There is room in it for a label of eleven letters: `class 0 90%`.
const LABEL: (u32, u32) = (104, 14);

const FORMATS: [VideoFormat; 14] = [
    VideoFormat::Nv12,
    VideoFormat::I420,
    VideoFormat::Yuy2,
    VideoFormat::Rgb,
    VideoFormat::Bgr,
    VideoFormat::Rgbx,
    VideoFormat::Bgrx,
    VideoFormat::Xrgb,
    VideoFormat::Xbgr,
    VideoFormat::Rgba,
    VideoFormat::Bgra,
    VideoFormat::Argb,
    VideoFormat::Abgr,
    VideoFormat::Gray8,
];

fn caps(format: VideoFormat) -> String {
    format!("video/x-raw,format={format},width=128,height=96,framerate=30/1")
}

fn drawing(format: VideoFormat) -> Harness {
    let harness = harness(&onnx::detector(&[BALL]), &caps(format));
    harness.element().unwrap().set_property("draw", true);
    harness
}

/// The samples of the pixel at `x`, `y`, component by component.
fn pixel(buffer: &gst::BufferRef, info: &VideoInfo, x: u32, y: u32) -> Vec<u8> {
    let frame = VideoFrameRef::from_buffer_ref_readable(buffer, info).unwrap();
    let format = frame.format_info();
    (0..frame.n_components().min(3))
        .map(|component| {
            let at = component as usize;
            let row = (y >> format.h_sub()[at]) * frame.comp_stride(component) as u32;
            let column = (x >> format.w_sub()[at]) * frame.comp_pstride(component) as u32;
            frame.comp_data(component).unwrap()[(row + column) as usize]
        })
        .collect()
}

/// Whether the pixel is where a line or the label is.
fn is_drawn(x: u32, y: u32) -> bool {
    let (left, top, width, height) = BALL_RECT;
    let inside = |margin: u32| {
        (left + margin..left + width - margin).contains(&x)
            && (top + margin..top + height - margin).contains(&y)
    };
    // Kept whole where it would go over the right edge.
    let label = left.min(128 - LABEL.0);
    let in_label = (label..label + LABEL.0).contains(&x) && (top - LABEL.1..top).contains(&y);
    inside(0) && !inside(THICKNESS) || in_label
}

#[test]
fn lines_and_label_are_all_that_changes_in_every_format() {
    for format in FORMATS {
        let info = video_info(&caps(format));
        let out = drawing(format)
            .push_and_pull(frame(&caps(format), 90))
            .unwrap();
        for (x, y) in (0..128).flat_map(|x| (0..96).map(move |y| (x, y))) {
            let samples = pixel(&out, &info, x, y);
            let changed = samples.iter().any(|sample| *sample != 90);
            // Colour at half the size is shared with the neighbours of a line.
            let near = is_drawn(x, y)
                || is_drawn(x ^ 1, y)
                || is_drawn(x, y ^ 1)
                || is_drawn(x ^ 1, y ^ 1);
            assert!(!changed || near, "{format} {x},{y} became {samples:?}");
        }
        let (left, top, ..) = BALL_RECT;
        let line = pixel(&out, &info, left, top + 20);
        assert!(line.iter().any(|sample| *sample != 90), "{format}: no line");
    }
}

#[test]
fn a_class_has_the_same_colour_in_every_format() {
    init();
    let (left, top, ..) = BALL_RECT;
    for format in FORMATS
        .into_iter()
        .filter(|format| *format != VideoFormat::Gray8)
    {
        let caps: gst::Caps = caps(format).parse().unwrap();
        let out = drawing(format)
            .push_and_pull(frame(&caps.to_string(), 90))
            .unwrap();
        let rgb = VideoInfo::builder(VideoFormat::Rgb, 128, 96)
            .build()
            .unwrap();
        let sample = gst::Sample::builder().buffer(&out).caps(&caps).build();
        let limit = gst::ClockTime::from_seconds(10);
        let converted =
            gst_video::convert_sample(&sample, &rgb.to_caps().unwrap(), Some(limit)).unwrap();
        let colour = pixel(converted.buffer().unwrap(), &rgb, left, top + 20);
        for (value, expected) in colour.iter().zip([43, 206, 72]) {
            // Converters blend the colour of a line with that of its neighbours.
            assert!(value.abs_diff(expected) <= 16, "{format}: {colour:?}");
        }
    }
}

/// The colours of the pixels that changed on a picture of this size, row by row.
fn changed(width: u32, height: u32, tracker: &str) -> Vec<Vec<[u8; 3]>> {
    let caps = format!("video/x-raw,format=RGBx,width={width},height={height},framerate=30/1");
    init();
    let element = gst::ElementFactory::make("gpuinfer")
        .property("model", onnx::detector(&[BALL]).to_str().unwrap())
        .property("draw", true)
        .property_from_str("tracker", tracker)
        .build()
        .unwrap();
    let out = running(&element, &caps)
        .push_and_pull(frame(&caps, 90))
        .unwrap();
    let bytes = out.map_readable().unwrap();
    let rows = bytes.chunks_exact(width as usize * 4);
    rows.map(|row| {
        let pixels = row
            .chunks_exact(4)
            .map(|pixel| [pixel[0], pixel[1], pixel[2]]);
        pixels.filter(|pixel| *pixel != [90; 3]).collect()
    })
    .collect()
}

/// Rows of the label, which is wider than high and as wide nowhere else.
fn label_rows(rows: &[Vec<[u8; 3]>]) -> usize {
    let first = rows.iter().position(|row| !row.is_empty()).unwrap();
    let width = rows[first].len();
    rows[first..]
        .iter()
        .take_while(|row| row.len() == width)
        .count()
}

#[test]
fn letters_and_lines_grow_with_the_picture() {
    let small = changed(1280, 720, "none");
    let large = changed(3840, 2160, "none");
    assert_eq!(label_rows(&small), 22);
    assert_eq!(label_rows(&large), 67);
    let thickness = |rows: &[Vec<[u8; 3]>]| rows[rows.len() / 2].len() / 2;
    assert_eq!((thickness(&small), thickness(&large)), (2, 6));
}

#[test]
fn letters_have_soft_edges() {
    let rows = changed(1280, 720, "none");
    let (paper, ink) = ([43, 206, 72], [0, 0, 0]);
    let pixels: Vec<_> = rows.iter().take(400).flatten().collect();
    let count = |colour| pixels.iter().filter(|pixel| ***pixel == colour).count();
    assert!(count(ink) > 100, "letters are black on bright colours");
    assert!(count(paper) > 1000);
    let soft = pixels.len() - count(ink) - count(paper);
    assert!(
        soft > count(ink) / 2,
        "{soft} between {} and {}",
        count(ink),
        count(paper)
    );
}

#[test]
fn a_tracked_object_has_a_colour_of_its_own() {
    let rows = changed(1280, 720, "iou");
    assert_eq!(rows[360][0], [255, 164, 5]);
}

#[test]
fn others_who_hold_the_frame_do_not_see_the_boxes() {
    let format = VideoFormat::Nv12;
    let input = frame(&caps(format), 90);
    let out = drawing(format).push_and_pull(input.clone()).unwrap();
    assert!(input.map_readable().unwrap().iter().all(|byte| *byte == 90));
    assert!(out.map_readable().unwrap().iter().any(|byte| *byte != 90));
}

#[test]
fn drawing_can_be_turned_off_again() {
    let format = VideoFormat::Rgb;
    let mut harness = drawing(format);
    harness.element().unwrap().set_property("draw", false);
    let out = harness.push_and_pull(frame(&caps(format), 90)).unwrap();
    assert!(out.map_readable().unwrap().iter().all(|byte| *byte == 90));
}

#[test]
fn of_a_label_without_end_a_line_is_drawn() {
    init();
    let long = onnx::write("w".repeat(16_000_000).as_bytes());
    let element = gst::ElementFactory::make("gpuinfer")
        .property("model", onnx::detector(&[BALL]).to_str().unwrap())
        .property("labels", long.to_str().unwrap())
        .property("draw", true)
        .build()
        .unwrap();
    let caps = "video/x-raw,format=GRAY8,width=8192,height=8192,framerate=30/1";
    let mut harness = running(&element, caps);
    let out = harness.push_and_pull(frame(caps, 90)).unwrap();
    assert_eq!(super::rects(&out).len(), 1);
    let errors = stats(&element).get::<u64>("errors");
    assert_eq!(errors, Ok(0));
}

#[test]
fn boxes_over_every_edge_and_odd_sizes_can_be_drawn() {
    let whole = [32.0, 32.0, 64.0, 64.0, 0.9, 0.0];
    let tiny = [60.0, 40.0, 0.01, 0.01, 0.0, 0.9];
    let model = onnx::detector(&[whole, tiny, [0.0, 8.0, 30.0, 30.0, 0.0, 0.8]]);
    for format in FORMATS {
        for (width, height) in [(641, 359), (3, 200), (1, 1), (16_384, 3), (1, 16_384)] {
            let caps =
                format!("video/x-raw,format={format},width={width},height={height},framerate=30/1");
            let mut harness = harness(&model, &caps);
            let element = harness.element().unwrap();
            element.set_property("draw", true);
            let out = harness.push_and_pull(frame(&caps, 90)).unwrap();
            assert!(!super::rects(&out).is_empty(), "{caps}");
            let errors = element
                .property::<gst::Structure>("stats")
                .get::<u64>("errors");
            assert_eq!(errors, Ok(0), "{caps}");
        }
    }
}
