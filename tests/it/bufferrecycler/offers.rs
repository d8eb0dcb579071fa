//! `propose`, `extra-buffers` and `role`: what upstream is answered, seen from upstream.

use gst::prelude::*;

use super::negotiation::{Between, CAPS, FRAME, OURS, offer, offers};
use super::plain_pool::ForeignMemory;
use super::word;
use crate::support::alone::alone;

const OUR_ALLOCATOR: &str = "GstLiveTuneRecyclingAllocator";

/// The allocators of the answer; entries without one only ask for an alignment.
fn allocators(query: &gst::query::Allocation<gst::Query>) -> Vec<String> {
    query
        .allocation_params()
        .filter_map(|(allocator, _)| Some(allocator?.type_().name().to_owned()))
        .collect()
}

#[test]
fn a_pool_an_allocator_both_or_nothing_is_proposed() {
    let ours = || OUR_ALLOCATOR.to_owned();
    for (propose, pool, allocator) in [
        ("none", false, vec![]),
        ("pool", true, vec![]),
        ("allocator", false, vec![ours()]),
        ("both", true, vec![ours()]),
    ] {
        let mut between = Between::with(&format!("propose={propose}"));
        let (_, query) = between.ask_for(CAPS, true);
        let expected = if pool {
            vec![offer(OURS, FRAME, 0, 0)]
        } else {
            vec![]
        };
        assert_eq!(offers(&query), expected, "{propose}");
        assert_eq!(allocators(&query), allocator, "{propose}");
        let why = word(&between.element, "offered-reason");
        assert_eq!(why.contains("propose says"), !pool, "{propose}: {why}");
    }
}

#[test]
fn what_downstream_asks_of_memory_is_asked_of_our_allocator_too() {
    let mut between = Between::with("propose=both").answering(|query| {
        let system = gst::Allocator::find(Some("SystemMemory"));
        let params = gst::AllocationParams::new(gst::MemoryFlags::empty(), 31, 0, 16);
        query.add_allocation_param(system.as_ref(), params);
    });
    let query = between.ask();
    let (_, params) = query.allocation_params().next().unwrap();
    assert_eq!((params.align(), params.padding()), (31, 16));
    assert_eq!(allocators(&query), [OUR_ALLOCATOR]);
}

#[test]
fn an_allocator_of_a_device_stays() {
    let mut between = Between::with("propose=both").answering(|query| {
        let device = gst::glib::Object::new::<ForeignMemory>();
        query.add_allocation_param(Some(&device), gst::AllocationParams::default());
    });
    let query = between.ask();
    assert_eq!(allocators(&query), ["LiveTuneTestForeignMemory"]);
}

#[test]
fn no_allocator_is_offered_for_memory_of_a_device() {
    let mut between = Between::with("propose=both extra-buffers=3");
    let caps = "video/x-raw(memory:CUDAMemory),format=NV12,width=64,height=48,framerate=30/1";
    let (_, query) = between.ask_for(caps, true);
    assert_eq!(allocators(&query), [""; 0]);
    // Who allocates on the device still hears how many buffers are needed.
    assert_eq!(offers(&query), [offer(None, FRAME, 3, 0)]);
}

#[test]
fn a_decoder_fills_its_own_pool_from_our_allocator() {
    for (propose, ours) in [("allocator", true), ("none", false)] {
        let pipeline = crate::support::pipeline::Pipeline::parse(&format!(
            "videotestsrc num-buffers=5 ! video/x-raw,format=I420,width=640,height=480 ! jpegenc ! jpegdec ! \
             bufferrecycler name=r propose={propose} ! fakesink name=end"
        ));
        let allocators = super::watch(&pipeline.element("end"), |buffer| {
            let allocator = buffer.peek_memory(0).allocator().cloned();
            allocator.is_some_and(|allocator| allocator.type_().name() == OUR_ALLOCATOR)
        });
        pipeline.run_to_eos();
        assert_eq!(*super::taken(&allocators), [ours; 5], "{propose}");
        assert_eq!(super::count(&pipeline.element("r"), "recycled"), 0);
    }
}

#[test]
fn extra_buffers_raise_the_minimum_whatever_downstream_answers() {
    let mut silent = Between::with("extra-buffers=5");
    assert_eq!(offers(&silent.ask()), [offer(OURS, FRAME, 5, 0)]);
    let mut without_pool = Between::with("extra-buffers=5 propose=none");
    assert_eq!(offers(&without_pool.ask()), [offer(None, FRAME, 5, 0)]);
    let mut special = Between::with("extra-buffers=5").answering(|query| {
        query.add_allocation_pool(Some(&gst::BufferPool::new()), FRAME, 2, 0);
    });
    let theirs = Some("GstBufferPool");
    assert_eq!(offers(&special.ask()), [offer(theirs, FRAME, 7, 0)]);
    let mut limited = Between::with("extra-buffers=5").answering(|query| {
        query.add_allocation_pool(Some(&gst::BufferPool::new()), FRAME, 2, 4);
    });
    assert_eq!(offers(&limited.ask()), [offer(theirs, FRAME, 4, 4)]);
    // A camera's JPEG: no pool of ours, but the camera hears how many buffers it needs.
    let mut camera = Between::with("extra-buffers=5");
    let (_, query) = camera.ask_for("image/jpeg,width=64,height=48,framerate=30/1", true);
    assert_eq!(offers(&query), [offer(None, 64 * 48 * 2, 5, 0)]);
    let mut unknown = Between::with("extra-buffers=5");
    let (_, query) = unknown.ask_for("application/x-rtp", true);
    assert_eq!(offers(&query), []);
}

#[test]
fn a_role_says_how_many_how_large_and_how_aligned() {
    for (role, min) in [("none", 0), ("input", 4), ("processing", 2), ("output", 4)] {
        let query = Between::with(&format!("role={role}")).ask();
        assert_eq!(offers(&query), [offer(OURS, FRAME, min, 0)], "{role}");
    }
    let mut packets = Between::with("role=network");
    let (_, query) = packets.ask_for("application/x-rtp", true);
    assert_eq!(offers(&query), [offer(None, 65_536, 32, 0)]);
    let aligned: Vec<_> = query
        .allocation_params()
        .map(|(_, params)| params.align())
        .collect();
    assert_eq!(aligned, [511]);
}

#[test]
fn what_is_set_counts_more_than_the_role() {
    let query = Between::with("role=input min-buffers=7 alignment=64").ask();
    assert_eq!(offers(&query), [offer(OURS, FRAME, 7, 0)]);
    let mut packets = Between::with("role=network buffer-size=1500");
    let (_, query) = packets.ask_for("application/x-rtp", true);
    assert_eq!(offers(&query), [offer(None, 1_500, 32, 0)]);
}

#[test]
fn the_presets_of_the_roles_are_as_they_are_called() {
    // The folder of presets can be set once in a process.
    let name = "bufferrecycler::offers::the_presets_of_the_roles_are_as_they_are_called";
    alone(name, || {
        gst::Preset::set_app_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/presets")).unwrap();
        for (preset, min, alignment, size) in [
            ("frame", 16, 4096, 8 * 1024 * 1024),
            ("encode", 8, 1024, 4 * 1024 * 1024),
            ("network", 32, 512, 64 * 1024),
        ] {
            is_as_called(preset, min, alignment, size);
        }
    });
}

fn is_as_called(preset: &str, min: u32, alignment: usize, size: u32) {
    let mut between = Between::with("");
    let element = between.element.dynamic_cast_ref::<gst::Preset>().unwrap();
    element.load_preset(preset).unwrap();
    between.element.set_state(gst::State::Null).unwrap();
    between.element.set_state(gst::State::Playing).unwrap();
    let limit = between.element.property::<u64>("max-pooled-bytes");
    assert_eq!(limit, 512 * 1024 * 1024);
    let (_, query) = between.ask_for(CAPS, true);
    assert_eq!(offers(&query), [offer(OURS, FRAME, min, 0)], "{preset}");
    let align = query.allocation_params().next().unwrap().1.align();
    assert_eq!(align, alignment - 1, "{preset}");
    let (_, query) = between.ask_for("application/octet-stream", true);
    assert_eq!(offers(&query), [offer(None, size, min, 0)], "{preset}");
}
