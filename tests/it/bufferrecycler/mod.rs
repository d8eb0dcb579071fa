//! The element in pipelines: what is reused, and that nobody sees a difference in the data.

mod any_input;
mod camera;
mod copy_out;
mod full;
mod identical;
mod lifecycle;
mod limits;
mod memory;
mod negotiation;
mod offers;
mod plain_pool;
mod process;
mod surface;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use gst::prelude::*;

use crate::support::media;
use crate::support::pipeline::{Pipeline, stats};

const RAW: &str = "video/x-raw,format=NV12,width=320,height=240,framerate=30/1";

/// A number of the `stats` of `element`.
pub fn count(element: &gst::Element, field: &str) -> u64 {
    stats(element).get(field).unwrap()
}

/// A word of the `stats` of `element`.
pub fn word(element: &gst::Element, field: &str) -> String {
    stats(element).get(field).unwrap()
}

/// Collects what `look` sees in every buffer that reaches `element`.
pub fn watch<T: Send + 'static>(
    element: &gst::Element,
    look: impl Fn(&gst::Buffer) -> T + Send + Sync + 'static,
) -> Arc<Mutex<Vec<T>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let shared = seen.clone();
    let pad = element.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let seen = look(info.buffer().unwrap());
        taken(&shared).push(seen);
        gst::PadProbeReturn::Ok
    });
    seen
}

#[allow(clippy::disallowed_methods, reason = "a test that panics is over")]
pub fn taken<T>(seen: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    seen.lock().unwrap()
}

/// Makes downstream of `recycler` answer as many encoders do: no pool, but strides are read from the buffers.
pub fn answer_with_video_meta_only(recycler: &gst::Element) {
    let pad = recycler.static_pad("src").unwrap();
    let kind = gst::PadProbeType::QUERY_DOWNSTREAM;
    pad.add_probe(kind, |_, info| match info.query_mut().unwrap().view_mut() {
        gst::QueryViewMut::Allocation(query) => {
            query.add_allocation_meta::<gst_video::VideoMeta>(None);
            gst::PadProbeReturn::Handled
        }
        _ => gst::PadProbeReturn::Ok,
    });
}

/// The time and the visible pixels of an RGB frame; what pads its rows is nobody's.
pub fn fingerprint(buffer: &gst::Buffer, width: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    buffer.pts().map(gst::ClockTime::nseconds).hash(&mut hasher);
    let map = buffer.map_readable().unwrap();
    let visible = width * 3;
    for row in map.as_slice().chunks_exact(visible.next_multiple_of(4)) {
        row[..visible].hash(&mut hasher);
    }
    hasher.finish()
}

#[test]
fn frames_are_written_into_memory_that_was_used_before() {
    let line = format!("videotestsrc num-buffers=200 ! {RAW} ! bufferrecycler name=r ! fakesink");
    let pipeline = Pipeline::parse(&line);
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    assert!(count(&recycler, "allocations") <= 4, "{}", stats(&recycler));
    assert!(count(&recycler, "hits") >= 196, "{}", stats(&recycler));
    assert_eq!(count(&recycler, "recycled"), 200);
    assert_eq!(count(&recycler, "buffers"), 200);
    assert_eq!(count(&recycler, "bytes"), 200 * 320 * 240 * 3 / 2);
    let ratio: f64 = stats(&recycler).get("hit-ratio").unwrap();
    assert!(ratio > 0.97, "{ratio}");
    assert_eq!(word(&recycler, "offered"), "own");
}

#[test]
fn nobody_sees_a_difference_in_the_data() {
    let fingerprints = |caps: &str, width: usize, between: &str| {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc pattern=ball num-buffers=30 ! {caps},width={width},height=359 ! {between} name=r ! \
             videoconvert ! video/x-raw,format=RGB ! fakesink name=end"
        ));
        let recycler = pipeline.element("r");
        answer_with_video_meta_only(&recycler);
        let seen = watch(&pipeline.element("end"), move |buffer| {
            fingerprint(buffer, width)
        });
        pipeline.run_to_eos();
        if between != "identity" {
            assert_eq!(count(&recycler, "recycled"), 30, "{}", stats(&recycler));
        }
        let seen = taken(&seen).clone();
        assert_eq!(seen.len(), 30);
        seen
    };
    for format in ["I420", "NV12", "YUY2", "BGRA", "GRAY8"] {
        for width in [320, 641] {
            let caps = format!("video/x-raw,format={format}");
            let stock = fingerprints(&caps, width, "identity");
            for settings in [
                "",
                "min-buffers=3 max-buffers=6",
                "alignment=256",
                "alignment=4096",
            ] {
                let recycler = format!("bufferrecycler {settings}");
                let recycled = fingerprints(&caps, width, &recycler);
                assert!(stock == recycled, "{caps} {width} with {settings}");
            }
        }
    }
}

#[test]
fn a_decoder_writes_the_same_pictures_into_our_pool() {
    let Some(video) = media::shared("media/bottle-detection.mp4") else {
        return;
    };
    let pictures = |between: &str| {
        let pipeline = Pipeline::parse(&format!(
            "filesrc location={} ! qtdemux ! h264parse ! avdec_h264 ! identity eos-after=40 ! \
             {between} name=r ! videoconvert ! videoscale ! video/x-raw,format=RGB,width=320,height=240 ! \
             fakesink name=end",
            video.display()
        ));
        let recycler = pipeline.element("r");
        answer_with_video_meta_only(&recycler);
        let seen = watch(&pipeline.element("end"), |buffer| fingerprint(buffer, 320));
        pipeline.run_to_eos();
        if between != "identity" {
            assert!(count(&recycler, "hits") > 20, "{}", stats(&recycler));
        }
        let seen = taken(&seen).clone();
        assert!(seen.len() >= 39);
        seen
    };
    let stock = pictures("identity");
    for settings in ["", "min-buffers=12", "alignment=256", "alignment=4096"] {
        let recycled = pictures(&format!("bufferrecycler {settings}"));
        assert!(stock == recycled, "{settings}");
    }
}

#[test]
fn a_filter_without_a_pool_of_its_own_stops_allocating() {
    crate::support::init();
    if gst::ElementFactory::find("bayer2rgb").is_none() {
        eprintln!("SKIP: bayer2rgb is not here");
        return;
    }
    let pipeline = Pipeline::parse(
        "videotestsrc num-buffers=50 ! video/x-bayer,format=bggr,width=320,height=240 ! bayer2rgb ! \
         bufferrecycler name=r ! queue max-size-buffers=4 ! fakesink",
    );
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    assert_eq!(count(&recycler, "recycled"), 50);
    assert!(count(&recycler, "hits") > 0, "{}", stats(&recycler));
    assert_eq!(
        count(&recycler, "allocations"),
        count(&recycler, "peak-outstanding")
    );
}

#[test]
fn frames_and_rows_lie_where_the_alignment_says() {
    for (reads_strides, alignment, stride) in [
        (false, 4096, None),
        (false, 256, None),
        (true, 256, Some(768)),
        (true, 4096, Some(768)),
    ] {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc num-buffers=20 ! video/x-raw,format=GRAY8,width=641,height=359 ! \
             bufferrecycler name=r alignment={alignment} ! fakesink"
        ));
        let recycler = pipeline.element("r");
        if reads_strides {
            answer_with_video_meta_only(&recycler);
        }
        let places = watch(&recycler, move |buffer| {
            let map = buffer.map_readable().unwrap();
            let meta = buffer.meta::<gst_video::VideoMeta>();
            let stride = meta.map(|meta| meta.stride()[0]);
            (map.as_slice().as_ptr() as usize % alignment, stride)
        });
        pipeline.run_to_eos();
        assert_eq!(*taken(&places), [(0, stride); 20], "{alignment}");
    }
}

#[test]
fn frames_are_recycled_in_front_of_a_filter_that_offers_a_plain_pool() {
    for filter in [
        "videoscale ! video/x-raw,width=160,height=120",
        "videoconvert ! video/x-raw,format=RGB",
    ] {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc num-buffers=100 ! {RAW} ! bufferrecycler name=r ! {filter} ! fakesink"
        ));
        pipeline.run_to_eos();
        let recycler = pipeline.element("r");
        assert_eq!(word(&recycler, "offered"), "own", "{filter}");
        let why = word(&recycler, "offered-reason");
        assert!(why.contains("plain pool"), "{filter}: {why}");
        assert_eq!(count(&recycler, "recycled"), 100, "{filter}");
        assert!(count(&recycler, "allocations") <= 4, "{}", stats(&recycler));
        assert!(count(&recycler, "hits") >= 96, "{}", stats(&recycler));
    }
}

#[test]
fn a_special_pool_of_downstream_stays_in_use() {
    // The second recycler's pool is of a kind derived from GstVideoBufferPool.
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=20 ! {RAW} ! bufferrecycler name=r min-buffers=4 ! \
         bufferrecycler name=special ! fakesink"
    ));
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    assert_eq!(word(&recycler, "offered"), "downstream");
    assert_eq!(count(&pipeline.element("special"), "recycled"), 20);
    assert_eq!(
        (count(&recycler, "buffers"), count(&recycler, "recycled")),
        (20, 0)
    );
}

#[test]
fn frames_are_recycled_in_front_of_a_tee() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=100 ! {RAW} ! bufferrecycler name=r ! tee name=t \
         t. ! queue ! fakesink t. ! queue ! fakesink"
    ));
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    assert_eq!(count(&recycler, "recycled"), 100);
    assert!(count(&recycler, "allocations") < 50, "{}", stats(&recycler));
}

#[test]
fn what_did_not_come_from_our_pool_is_not_called_recycled() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc num-buffers=20 ! {RAW} ! identity drop-allocation=true ! bufferrecycler name=r ! fakesink"
    ));
    pipeline.run_to_eos();
    let recycler = pipeline.element("r");
    assert_eq!(
        (count(&recycler, "buffers"), count(&recycler, "recycled")),
        (20, 0)
    );
    assert_eq!(word(&recycler, "offered"), "none");
    assert!(word(&recycler, "offered-reason").contains("not asked"));
}

#[test]
fn what_is_no_raw_video_passes_and_is_counted() {
    for (source, reason) in [
        ("audiotestsrc num-buffers=20", "not raw video"),
        (
            "fakesrc num-buffers=20 sizetype=fixed sizemax=100",
            "not raw video",
        ),
        ("videotestsrc num-buffers=20 ! jpegenc", "not raw video"),
    ] {
        let line =
            format!("{source} ! bufferrecycler name=r min-buffers=4 alignment=64 ! fakesink");
        let pipeline = Pipeline::parse(&line);
        pipeline.run_to_eos();
        let recycler = pipeline.element("r");
        assert_eq!(count(&recycler, "buffers"), 20, "{source}");
        assert_eq!(
            (
                count(&recycler, "recycled"),
                count(&recycler, "allocations")
            ),
            (0, 0),
            "{source}"
        );
        assert_eq!(word(&recycler, "offered"), "none", "{source}");
        let why = word(&recycler, "offered-reason");
        assert!(why.contains(reason), "{source}: {why}");
    }
}

#[test]
fn figures_are_in_the_registry_while_the_element_runs() {
    let line =
        format!("videotestsrc num-buffers=50 ! {RAW} ! bufferrecycler name=registered ! fakesink");
    let pipeline = Pipeline::parse(&line);
    pipeline.run_to_eos();
    let of_this_element = |metrics: &str| {
        let lines = metrics
            .lines()
            .filter(|line| line.contains("element=\"registered\""));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = of_this_element(&gstlivetune::open_metrics());
    let holds = |name: &str, value: &str| {
        lines
            .iter()
            .any(|line| line.starts_with(name) && line.ends_with(value))
    };
    assert!(
        holds("livetune_bufferrecycler_recycled_total{", " 50"),
        "{lines:#?}"
    );
    assert!(
        holds("livetune_bufferrecycler_pooled_bytes{", ""),
        "{lines:#?}"
    );
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(of_this_element(&gstlivetune::open_metrics()).is_empty());
}

/// Bytes of memory that this process has.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096
}
