//! The answer to upstream's question, seen from upstream, with a downstream that answers what the test wants.

use gst::prelude::*;
use gst_check::Harness;

use super::word;

pub(super) const CAPS: &str = "video/x-raw,format=I420,width=64,height=48,framerate=30/1";
pub(super) const FRAME: u32 = 64 * 48 * 3 / 2;

/// The element between two pads of the test.
pub(super) struct Between {
    pub(super) element: gst::Element,
    pub(super) harness: Harness,
}

/// One pool of an answer.
#[derive(Debug, PartialEq)]
pub(super) struct Offer {
    kind: Option<String>,
    size: u32,
    min: u32,
    max: u32,
}

pub(super) fn offer(kind: Option<&str>, size: u32, min: u32, max: u32) -> Offer {
    let kind = kind.map(str::to_owned);
    Offer {
        kind,
        size,
        min,
        max,
    }
}

impl Between {
    pub(super) fn new(min: u32, max: u32, alignment: u32) -> Self {
        let settings = format!("min-buffers={min} max-buffers={max} alignment={alignment}");
        Self::with(&settings)
    }

    /// With `settings` as gst-launch-1.0 takes them.
    pub(super) fn with(settings: &str) -> Self {
        crate::support::init();
        let element = gst::ElementFactory::make("bufferrecycler").build().unwrap();
        for setting in settings.split_whitespace() {
            let (name, value) = setting.split_once('=').unwrap();
            element.set_property_from_str(name, value);
        }
        let mut harness = Harness::with_element(&element, Some("sink"), Some("src"));
        harness.play();
        Self { element, harness }
    }

    /// Makes downstream answer what `write` writes.
    pub(super) fn answering(
        self,
        write: impl Fn(&mut gst::query::Allocation) + Send + Sync + 'static,
    ) -> Self {
        let pad = self.harness.sinkpad().unwrap();
        pad.add_probe(
            gst::PadProbeType::QUERY_DOWNSTREAM,
            move |_, info| match info.query_mut().unwrap().view_mut() {
                gst::QueryViewMut::Allocation(query) => {
                    write(query);
                    gst::PadProbeReturn::Handled
                }
                _ => gst::PadProbeReturn::Ok,
            },
        );
        self
    }

    pub(super) fn ask_for(
        &mut self,
        caps: &str,
        need_pool: bool,
    ) -> (bool, gst::query::Allocation<gst::Query>) {
        self.harness.set_src_caps_str(caps);
        let caps = caps.parse::<gst::Caps>().unwrap();
        let mut query = gst::query::Allocation::new(Some(&caps), need_pool);
        let answered = self.harness.srcpad().unwrap().peer_query(&mut query);
        (answered, query)
    }

    pub(super) fn ask(&mut self) -> gst::query::Allocation<gst::Query> {
        let (answered, query) = self.ask_for(CAPS, true);
        assert!(answered);
        query
    }
}

pub(super) fn offers(query: &gst::query::Allocation<gst::Query>) -> Vec<Offer> {
    query
        .allocation_pools()
        .map(|(pool, size, min, max)| Offer {
            kind: pool.map(|pool| pool.type_().name().to_owned()),
            size,
            min,
            max,
        })
        .collect()
}

pub(super) const OURS: Option<&str> = Some("GstLiveTuneRecyclingPool");

#[test]
fn where_downstream_is_silent_our_pool_is_offered() {
    let mut between = Between::new(3, 9, 0);
    let query = between.ask();
    assert_eq!(offers(&query), [offer(OURS, FRAME, 3, 9)]);
    assert_eq!(word(&between.element, "offered"), "own");
    let (pool, ..) = query.allocation_pools().next().unwrap();
    let (caps, size, min, max) = pool.unwrap().config().params().unwrap();
    assert_eq!(caps, Some(CAPS.parse().unwrap()));
    assert_eq!((size, min, max), (FRAME, 3, 9));
}

#[test]
fn a_pool_of_downstream_is_kept_and_its_minimum_raised() {
    let mut between = Between::new(6, 0, 4096).answering(|query| {
        let pool = gst::BufferPool::new();
        query.add_allocation_pool(Some(&pool), FRAME, 2, 12);
        query.add_allocation_meta::<gst_video::VideoMeta>(None);
    });
    let query = between.ask();
    let theirs = offer(Some("GstBufferPool"), FRAME, 6, 12);
    assert_eq!(offers(&query), [theirs]);
    assert!(
        query
            .find_allocation_meta::<gst_video::VideoMeta>()
            .is_some()
    );
    assert_eq!(
        query.allocation_params().count(),
        0,
        "no alignment for a foreign pool"
    );
    assert_eq!(word(&between.element, "offered"), "downstream");
    assert!(word(&between.element, "offered-reason").contains("raised to min-buffers"));
}

#[test]
fn the_maximum_of_a_pool_of_downstream_is_never_touched() {
    let mut between = Between::new(6, 6, 0).answering(|query| {
        let pool = gst::BufferPool::new();
        query.add_allocation_pool(Some(&pool), FRAME, 2, 4);
    });
    assert_eq!(
        offers(&between.ask()),
        [offer(Some("GstBufferPool"), FRAME, 4, 4)]
    );
    let reason = word(&between.element, "offered-reason");
    assert!(reason.contains("maximum is below min-buffers"), "{reason}");
}

#[test]
fn advice_of_downstream_sizes_our_pool_and_its_metas_stay() {
    let mut between = Between::new(2, 4, 0).answering(|query| {
        query.add_allocation_pool(gst::BufferPool::NONE, FRAME + 64, 21, 0);
        query.add_allocation_meta::<gst_video::VideoMeta>(None);
    });
    let query = between.ask();
    assert_eq!(offers(&query), [offer(OURS, FRAME + 64, 21, 21)]);
    assert!(
        query
            .find_allocation_meta::<gst_video::VideoMeta>()
            .is_some()
    );
}

#[test]
fn alignment_is_asked_for_and_adds_to_what_downstream_needs() {
    let aligns = |between: &mut Between| {
        let query = between.ask();
        let params = query.allocation_params().map(|(_, params)| params);
        params
            .map(|params| (params.align(), params.padding()))
            .collect::<Vec<_>>()
    };
    assert_eq!(aligns(&mut Between::new(0, 0, 64)), [(63, 0)]);
    assert_eq!(aligns(&mut Between::new(0, 0, 0)), [(0, 0)]);
    let mut picky = Between::new(0, 0, 64).answering(|query| {
        let params = gst::AllocationParams::new(gst::MemoryFlags::empty(), 15, 0, 8);
        query.add_allocation_param(gst::Allocator::NONE, params);
    });
    assert_eq!(aligns(&mut picky), [(63, 8)]);
}

#[test]
fn no_pool_is_offered_for_what_is_not_in_our_memory() {
    let advice = |caps: &str| {
        // Who allocates there still hears how many buffers are needed.
        let size = caps.starts_with("video/x-raw").then_some(FRAME);
        size.map(|size| offer(None, size, 4, 0))
    };
    for caps in [
        "video/x-raw(memory:CUDAMemory),format=NV12,width=64,height=48,framerate=30/1",
        "video/x-raw(memory:DMABuf),format=NV12,width=64,height=48,framerate=30/1",
        "audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved",
        "application/octet-stream",
    ] {
        let mut between = Between::new(4, 0, 0);
        let (_, query) = between.ask_for(caps, true);
        let expected: Vec<_> = advice(caps).into_iter().collect();
        assert_eq!(offers(&query), expected, "{caps}");
        assert_eq!(word(&between.element, "offered"), "none", "{caps}");
        assert!(
            word(&between.element, "offered-reason").contains("not raw video"),
            "{caps}"
        );
        let (_, query) = Between::new(0, 0, 0).ask_for(caps, true);
        assert_eq!(offers(&query), [], "{caps}");
    }
}

#[test]
fn a_pool_is_offered_where_only_a_meta_is_required() {
    let mut between = Between::new(1, 0, 0);
    let caps = "video/x-raw(memory:SystemMemory,meta:GstVideoOverlayComposition),format=I420,width=64,height=48,\
                framerate=30/1";
    let (answered, query) = between.ask_for(caps, true);
    assert!(answered);
    assert_eq!(offers(&query), [offer(OURS, FRAME, 1, 0)]);
}

#[test]
fn who_brings_memory_of_its_own_is_offered_none() {
    let mut between = Between::new(4, 0, 0);
    let (_, query) = between.ask_for(CAPS, false);
    assert_eq!(offers(&query), []);
    assert!(word(&between.element, "offered-reason").contains("wants no pool"));
}

#[test]
fn every_question_gets_a_pool_of_its_own() {
    let mut between = Between::new(1, 0, 0);
    let pool = |query: gst::query::Allocation<gst::Query>| {
        query.allocation_pools().next().unwrap().0.unwrap()
    };
    let (first, second) = (pool(between.ask()), pool(between.ask()));
    assert_ne!(first, second);
    first.set_active(true).unwrap();
    let buffer = first.acquire_buffer(None).unwrap();
    let passed = between.harness.push_and_pull(buffer).unwrap();
    let stats = crate::support::pipeline::stats(&between.element);
    assert_eq!(stats.get::<u64>("recycled"), Ok(1));
    drop(passed);
    first.set_active(false).unwrap();
}
