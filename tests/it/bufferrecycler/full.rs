//! A pool at its maximum: upstream waits for a while, then it grows or drops, and the application is told once.

use gst::prelude::*;

use super::{RAW, count, taken, watch};
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

/// A pool of two whose buffers are all kept, with `settings`.
fn kept(settings: &str) -> (Pipeline, std::sync::Arc<std::sync::Mutex<Vec<gst::Buffer>>>) {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc ! {RAW} ! bufferrecycler name=r max-buffers=2 max-wait=20 {settings} ! \
         fakesink name=end async=false"
    ));
    let kept = watch(&pipeline.element("end"), gst::Buffer::clone);
    pipeline.set_state(gst::State::Playing).unwrap();
    (pipeline, kept)
}

fn warnings(pipeline: &Pipeline) -> Vec<String> {
    let bus = pipeline.bus().unwrap();
    let mut found = Vec::new();
    while let Some(message) = bus.pop_filtered(&[gst::MessageType::Warning]) {
        if let gst::MessageView::Warning(warning) = message.view() {
            found.push(warning.error().to_string());
        }
    }
    found
}

#[test]
fn it_grows_after_the_longest_wait_with_one_warning() {
    let (pipeline, kept) = kept("");
    let recycler = pipeline.element("r");
    eventually("more than the maximum", LIMIT, || taken(&kept).len() > 20);
    pipeline.set_state(gst::State::Paused).unwrap();
    let warned = warnings(&pipeline);
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("All 2 buffers"), "{warned:?}");
    assert!(
        warned[0].contains("pool grows") && warned[0].contains("max-buffers"),
        "{warned:?}"
    );
    assert_eq!(count(&recycler, "drops"), 0);
    assert_eq!(count(&recycler, "timeouts"), 1, "{}", stats(&recycler));
    let advice: String = recycler.property("advise");
    assert!(advice.contains("raise max-buffers"), "{advice}");
}

#[test]
fn it_drops_after_the_longest_wait_with_one_warning() {
    let (pipeline, kept) = kept("when-full=drop");
    let recycler = pipeline.element("r");
    eventually("drops", LIMIT, || count(&recycler, "drops") > 20);
    assert_eq!(taken(&kept).len(), 2);
    // The pool has its two, and one that is lent and dropped again and again.
    assert!(count(&recycler, "allocations") <= 4, "{}", stats(&recycler));
    assert_eq!(warnings(&pipeline).len(), 1);
    let before = count(&recycler, "drops");
    taken(&kept).clear();
    eventually("frames again", LIMIT, || taken(&kept).len() == 2);
    eventually("drops again", LIMIT, || count(&recycler, "drops") > before);
    assert_eq!(warnings(&pipeline).len(), 0);
}

#[test]
fn who_is_told_that_a_pool_ran_dry_gets_all_figures() {
    let (pipeline, _kept) = kept("");
    let told = pipeline.wait_for_element_message("livetune-buffers");
    assert_eq!(told.get::<String>("reason").unwrap(), "pool-dry");
    for name in [
        "outstanding",
        "waits",
        "pooled-bytes",
        "page-faults",
        "oldest-age",
    ] {
        assert!(told.get::<u64>(name).is_ok(), "{name} is missing in {told}");
    }
    assert_eq!(told.get::<u64>("outstanding"), Ok(2));
}

#[test]
fn a_buffer_that_is_held_for_too_long_is_told_of_once() {
    let (pipeline, kept) = kept("hold-warning=100 when-full=drop");
    let told = loop {
        let message = pipeline.wait_for_element_message("livetune-buffers");
        if message.get::<&str>("reason") == Ok("buffer-held") {
            break message;
        }
    };
    assert!(
        told.get::<u64>("oldest-age").unwrap() >= 100_000_000,
        "{told}"
    );
    assert!(
        (1..=2).contains(&told.get::<u64>("overdue").unwrap()),
        "{told}"
    );
    let recycler = pipeline.element("r");
    let oldest = count(&recycler, "oldest-age");
    eventually("it to grow older", LIMIT, || {
        count(&recycler, "oldest-age") > oldest
    });
    pipeline.set_state(gst::State::Null).unwrap();
    taken(&kept).clear();
    assert_eq!(count(&recycler, "oldest-age"), 0);
}

#[test]
fn who_wants_no_messages_gets_none() {
    let (pipeline, _kept) = kept("hold-warning=50 post-messages=false");
    let recycler = pipeline.element("r");
    eventually("a wait", LIMIT, || count(&recycler, "timeouts") > 0);
    eventually("an old buffer", LIMIT, || {
        count(&recycler, "oldest-age") > 600_000_000
    });
    let bus = pipeline.bus().unwrap();
    while let Some(message) = bus.pop_filtered(&[gst::MessageType::Element]) {
        assert!(!message.has_name("livetune-buffers"), "{message:?}");
    }
}

#[test]
fn after_a_stall_the_pool_shrinks_again() {
    let pipeline = Pipeline::parse(&format!(
        "videotestsrc is-live=true ! {RAW} ! bufferrecycler name=r idle-trim=300 ! \
         queue name=q max-size-buffers=60 max-size-time=0 ! fakesink name=end enable-last-sample=false"
    ));
    let recycler = pipeline.element("r");
    let sink = pipeline.element("end").static_pad("sink").unwrap();
    pipeline.play();
    let stall = sink.add_probe(
        gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER,
        |_, _| gst::PadProbeReturn::Ok,
    );
    eventually("many buffers to be out", LIMIT, || {
        count(&recycler, "outstanding") >= 20
    });
    let during = count(&recycler, "pooled-bytes");
    sink.remove_probe(stall.unwrap());
    eventually("the pool to shrink", LIMIT, || {
        count(&recycler, "pooled-bytes") <= during / 4
    });
    assert!(
        count(&recycler, "trimmed-bytes") >= during / 2,
        "{}",
        stats(&recycler)
    );
    let before = count(&recycler, "buffers");
    eventually("it to go on", LIMIT, || {
        count(&recycler, "buffers") > before + 5
    });
}
