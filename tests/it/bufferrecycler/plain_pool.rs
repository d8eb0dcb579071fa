//! Downstream offers a plain GstVideoBufferPool: ours stands in for it, configured alike.

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_video::prelude::*;

use super::negotiation::{Between, CAPS, FRAME, OURS, offer, offers};
use super::word;

mod imp {
    use super::*;

    #[derive(Default)]
    pub struct ForeignMemory;

    #[glib::object_subclass]
    impl ObjectSubclass for ForeignMemory {
        const NAME: &'static str = "LiveTuneTestForeignMemory";
        type Type = super::ForeignMemory;
        type ParentType = gst::Allocator;
    }

    impl ObjectImpl for ForeignMemory {}
    impl GstObjectImpl for ForeignMemory {}
    // SAFETY: it allocates nothing.
    unsafe impl AllocatorImpl for ForeignMemory {}
}

glib::wrapper! {
    /// Stands for an allocator of a device.
    pub struct ForeignMemory(ObjectSubclass<imp::ForeignMemory>)
        @extends gst::Allocator, gst::Object;
}

/// A plain pool, configured by `write`.
fn plain_pool(
    caps: &str,
    write: impl Fn(&mut gst::BufferPoolConfigRef),
) -> gst_video::VideoBufferPool {
    let pool = gst_video::VideoBufferPool::new();
    let mut config = pool.config();
    let caps = caps.parse::<gst::Caps>().unwrap();
    config.set_params(Some(&caps), FRAME, 2, 12);
    write(&mut config);
    pool.set_config(config).unwrap();
    pool
}

/// The config of the pool that upstream is offered where downstream offers one that `write` configured.
fn config_in_place_of(
    alignment: u32,
    write: impl Fn(&mut gst::BufferPoolConfigRef) + Copy + Send + Sync + 'static,
) -> gst::BufferPoolConfig {
    let mut between = Between::new(6, 0, alignment).answering(move |query| {
        query.add_allocation_pool(Some(&plain_pool(CAPS, write)), FRAME, 2, 12);
        query.add_allocation_meta::<gst_video::VideoMeta>(None);
    });
    let query = between.ask();
    assert_eq!(offers(&query), [offer(OURS, FRAME, 6, 12)]);
    assert_eq!(word(&between.element, "offered"), "own");
    let why = word(&between.element, "offered-reason");
    assert!(why.contains("plain pool"), "{why}");
    let (pool, ..) = query.allocation_pools().next().unwrap();
    pool.unwrap().config()
}

#[test]
fn ours_has_its_numbers_allocator_and_options() {
    let config = config_in_place_of(0, |config| {
        let allocator = gst::Allocator::find(Some("SystemMemory"));
        let params = gst::AllocationParams::new(gst::MemoryFlags::empty(), 15, 4, 8);
        config.set_allocator(allocator.as_ref(), Some(&params));
        config.add_option(gst_video::BUFFER_POOL_OPTION_VIDEO_META);
    });
    let (caps, size, min, max) = config.params().unwrap();
    assert_eq!(caps, Some(CAPS.parse().unwrap()));
    assert_eq!((size, min, max), (FRAME, 6, 12));
    let (allocator, params) = config.allocator().unwrap();
    // Ours in the place of the system's, which makes memory of the same kind.
    let allocator = allocator.unwrap();
    assert_eq!(allocator.type_().name(), "GstLiveTuneRecyclingAllocator");
    assert_eq!(allocator.memory_type(), "SystemMemory");
    let params = (params.align(), params.prefix(), params.padding());
    assert_eq!(params, (15, 4, 8));
    assert!(config.has_option(gst_video::BUFFER_POOL_OPTION_VIDEO_META));
    assert!(!config.has_option(gst_video::BUFFER_POOL_OPTION_VIDEO_ALIGNMENT));
}

#[test]
fn the_stricter_of_both_alignments_wins() {
    for (ours, theirs, rows) in [(0, 31, 31), (16, 31, 31), (64, 31, 63)] {
        let write = move |config: &mut gst::BufferPoolConfigRef| {
            let params = gst::AllocationParams::new(gst::MemoryFlags::empty(), theirs, 0, 0);
            config.set_allocator(gst::Allocator::NONE, Some(&params));
            config.add_option(gst_video::BUFFER_POOL_OPTION_VIDEO_META);
            config.add_option(gst_video::BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
            let strides = [31; gst_video::VIDEO_MAX_PLANES];
            config.set_video_alignment(&gst_video::VideoAlignment::new(2, 0, 0, 0, &strides));
        };
        let mut between = Between::new(0, 0, ours).answering(move |query| {
            query.add_allocation_pool(Some(&plain_pool(CAPS, write)), FRAME, 0, 0);
            query.add_allocation_meta::<gst_video::VideoMeta>(None);
        });
        let query = between.ask();
        let (pool, ..) = query.allocation_pools().next().unwrap();
        let config = pool.unwrap().config();
        let (_, params) = config.allocator().unwrap();
        assert_eq!(params.align(), rows as usize, "{ours}");
        let alignment = config.video_alignment().unwrap();
        assert_eq!(alignment.stride_align(), &[rows; 4], "{ours}");
        assert_eq!(alignment.padding_top(), 2, "{ours}");
        let asked = query.allocation_params().next();
        let asked = asked.map(|(_, params)| params.align());
        assert_eq!(asked, (ours > 0).then(|| ours as usize - 1), "{ours}");
    }
}

#[test]
fn its_maximum_stays_below_our_minimum() {
    let mut between = Between::new(6, 6, 0).answering(|query| {
        let pool = gst_video::VideoBufferPool::new();
        query.add_allocation_pool(Some(&pool), FRAME, 2, 4);
    });
    assert_eq!(offers(&between.ask()), [offer(OURS, FRAME, 4, 4)]);
    let why = word(&between.element, "offered-reason");
    assert!(why.contains("maximum is below min-buffers"), "{why}");
}

#[test]
fn a_plain_pool_for_other_frames_or_with_other_memory_is_kept() {
    let other_frames = "video/x-raw,format=RGB,width=320,height=240,framerate=30/1";
    let other = move || {
        let pool = gst_video::VideoBufferPool::new();
        let mut config = pool.config();
        let caps = other_frames.parse::<gst::Caps>().unwrap();
        config.set_params(Some(&caps), 320 * 240 * 3, 0, 0);
        pool.set_config(config).unwrap();
        pool
    };
    let foreign_memory = || {
        plain_pool(CAPS, |config| {
            let allocator = glib::Object::new::<ForeignMemory>();
            config.set_allocator(Some(&allocator), None);
        })
    };
    let makers: [Box<dyn Fn() -> gst_video::VideoBufferPool + Send + Sync>; 2] =
        [Box::new(other), Box::new(foreign_memory)];
    for make in makers {
        let mut between = Between::new(6, 0, 64).answering(move |query| {
            query.add_allocation_pool(Some(&make()), FRAME, 2, 0);
        });
        let kept = offer(Some("GstVideoBufferPool"), FRAME, 6, 0);
        assert_eq!(offers(&between.ask()), [kept]);
        assert_eq!(word(&between.element, "offered"), "downstream");
    }
}
