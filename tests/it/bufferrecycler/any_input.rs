//! Input that is hard on the element: anything goes through as it came, or is refused with words that help.

use gst::prelude::*;

use super::negotiation::{Between, CAPS, FRAME};
use super::{RAW, count};
use crate::support::pipeline::Pipeline;

/// An element that copies everything, with caps on its sink pad.
fn copying(caps: &str) -> Between {
    let mut between = Between::with("copy-out=always");
    between.harness.set_src_caps_str(caps);
    between
}

#[test]
fn several_memories_become_one_with_the_same_bytes() {
    let mut between = copying(CAPS);
    let mut buffer = gst::Buffer::new();
    let target = buffer.get_mut().unwrap();
    let third = FRAME as usize / 3;
    for part in 0..3_u8 {
        let bytes: Vec<u8> = (0..third)
            .map(|n| (n as u8).wrapping_mul(part + 1))
            .collect();
        target.append_memory(gst::Memory::from_slice(bytes));
    }
    let strides = gst_video::VideoMeta::add(
        target,
        gst_video::VideoFrameFlags::empty(),
        gst_video::VideoFormat::I420,
        64,
        48,
    );
    strides.unwrap();
    target.set_pts(gst::ClockTime::from_mseconds(40));
    let original = buffer.copy_deep().unwrap();
    let copy = between.harness.push_and_pull(buffer).unwrap();
    assert_eq!((original.n_memory(), copy.n_memory()), (3, 1));
    assert_eq!(
        copy.map_readable().unwrap().as_slice(),
        original.map_readable().unwrap().as_slice()
    );
    assert!(copy.meta::<gst_video::VideoMeta>().is_some());
    assert_eq!(copy.pts(), original.pts());
    assert_eq!(count(&between.element, "copies"), 1);
}

/// A pool with one buffer.
fn pool_of_one() -> gst::BufferPool {
    let pool = gst::BufferPool::new();
    let mut config = pool.config();
    config.set_params(Some(&CAPS.parse().unwrap()), FRAME, 1, 1);
    pool.set_config(config).unwrap();
    pool.set_active(true).unwrap();
    pool
}

/// The buffer of `pool`, where nobody has it.
fn taken_at_once(pool: &gst::BufferPool) -> Result<gst::Buffer, gst::FlowError> {
    let at_once = gst::BufferPoolAcquireParams::with_flags(gst::BufferPoolAcquireFlags::DONTWAIT);
    pool.acquire_buffer(Some(&at_once))
}

#[test]
fn a_copy_lets_the_original_go() {
    let mut between = copying(CAPS);
    let pool = pool_of_one();
    let take = || taken_at_once(&pool);
    let copy = between.harness.push_and_pull(take().unwrap()).unwrap();
    // While the copy is out, the only buffer of the pool is there again.
    let shared = take().unwrap().copy();
    let second = between.harness.push_and_pull(shared).unwrap();
    assert!(take().is_ok());
    assert!(copy.meta::<gst::ParentBufferMeta>().is_none());
    assert!(second.meta::<gst::ParentBufferMeta>().is_none());
    pool.set_active(false).unwrap();
}

#[test]
fn a_copy_of_what_keeps_another_buffer_out_lets_that_one_go() {
    let mut between = copying(CAPS);
    let pool = pool_of_one();
    let original = taken_at_once(&pool).unwrap();
    // As decoders have it: a buffer with the memory of the pool's, which it holds.
    let mut child = gst::Buffer::new();
    let target = child.get_mut().unwrap();
    target.append_memory(original.memory(0).unwrap());
    gst::ParentBufferMeta::add(target, &original);
    drop(original);
    assert!(taken_at_once(&pool).is_err());
    let copy = between.harness.push_and_pull(child).unwrap();
    assert!(copy.meta::<gst::ParentBufferMeta>().is_none());
    assert!(taken_at_once(&pool).is_ok());
    pool.set_active(false).unwrap();
}

#[test]
fn read_only_memory_and_parts_of_memory_are_copied() {
    let mut between = copying(CAPS);
    let whole = gst::Buffer::from_slice((0..=255_u8).cycle().take(10_000).collect::<Vec<_>>());
    let part = whole
        .copy_region(gst::BufferCopyFlags::MEMORY, 100..4_708)
        .unwrap();
    static CONSTANT: [u8; FRAME as usize] = [9; FRAME as usize];
    for buffer in [part, gst::Buffer::from_slice(CONSTANT)] {
        let expected = buffer.map_readable().unwrap().to_vec();
        let copy = between.harness.push_and_pull(buffer).unwrap();
        assert_eq!(copy.map_readable().unwrap().as_slice(), expected);
        assert!(copy.is_all_memory_writable());
    }
    assert_eq!(count(&between.element, "copies"), 2);
}

#[test]
fn a_buffer_without_bytes_passes() {
    let mut between = copying("application/octet-stream");
    for buffer in [gst::Buffer::new(), gst::Buffer::with_size(0).unwrap()] {
        let passed = between.harness.push_and_pull(buffer).unwrap();
        assert_eq!(passed.size(), 0);
    }
    assert_eq!(count(&between.element, "buffers"), 2);
    assert_eq!(count(&between.element, "copies"), 0);
}

#[test]
fn memory_of_a_device_passes_untouched_and_is_counted() {
    for feature in ["memory:CUDAMemory", "memory:DMABuf", "memory:GLMemory"] {
        let caps = format!("video/x-raw({feature}),format=NV12,width=64,height=48,framerate=30/1");
        let mut between = copying(&caps);
        let buffer = gst::Buffer::with_size(64).unwrap();
        let address = buffer.as_ptr();
        let passed = between.harness.push_and_pull(buffer).unwrap();
        assert_eq!(passed.as_ptr(), address, "{feature}");
        assert_eq!(count(&between.element, "device"), 1, "{feature}");
        assert_eq!(count(&between.element, "copies"), 0, "{feature}");
    }
}

#[test]
fn caps_without_a_size_or_no_caps_at_all_are_copied_byte_by_byte() {
    let pipeline = Pipeline::parse(
        "fakesrc num-buffers=20 sizetype=fixed sizemax=777 filltype=pattern ! \
         bufferrecycler name=r copy-out=always extra-buffers=3 min-buffers=2 alignment=64 ! fakesink name=end",
    );
    let seen = super::watch(&pipeline.element("end"), |buffer| {
        buffer.map_readable().unwrap().to_vec()
    });
    pipeline.run_to_eos();
    let seen = super::taken(&seen).clone();
    assert_eq!(seen.len(), 20);
    assert!(seen.iter().all(|bytes| bytes.len() == 777 && bytes[5] == 5));
    assert_eq!(count(&pipeline.element("r"), "copies"), 20);
}

#[test]
fn a_limit_below_one_frame_is_refused_with_both_numbers() {
    let refusal = |settings: &str| {
        let pipeline = Pipeline::parse(&format!(
            "videotestsrc num-buffers=5 ! {RAW} ! bufferrecycler {settings} ! fakesink"
        ));
        pipeline.error_on_the_way_to(gst::State::Playing)
    };
    let frame = refusal("max-pooled-bytes=100000");
    assert!(
        frame.contains("100000") && frame.contains("115200"),
        "{frame}"
    );
    assert!(frame.contains("raise max-pooled-bytes"), "{frame}");
    let pool = refusal("max-pooled-bytes=300000 min-buffers=3");
    assert!(
        pool.contains("300000") && pool.contains("3 frames of 115200"),
        "{pool}"
    );
    let extra = refusal("max-pooled-bytes=300000 min-buffers=1 extra-buffers=2");
    assert!(extra.contains("3 frames of 115200"), "{extra}");
    let enough = Pipeline::parse(&format!(
        "videotestsrc num-buffers=5 ! {RAW} ! bufferrecycler max-pooled-bytes=345600 min-buffers=3 ! fakesink"
    ));
    enough.run_to_eos();
}
