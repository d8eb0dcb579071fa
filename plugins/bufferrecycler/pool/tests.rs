//! The pool without an element: lending, waiting, alignment, memory.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::*;
use crate::runtime::clock;
use crate::runtime::lock::lock;

const LIMIT: Duration = Duration::from_secs(30);
const FRAME: u32 = 64 * 48 * 3 / 2;

fn caps() -> gst::Caps {
    gst_video::VideoCapsBuilder::new()
        .format(gst_video::VideoFormat::I420)
        .width(64)
        .height(48)
        .framerate(gst::Fraction::new(30, 1))
        .build()
}

fn active_pool(min: u32, max: u32, plan: Plan) -> RecyclingPool {
    gst::init().expect("GStreamer starts");
    let limits = Limits {
        size: FRAME,
        min,
        max,
    };
    let pool = RecyclingPool::new(&caps(), limits, plan).expect("a pool that can be configured");
    pool.set_active(true).expect("a pool that starts");
    pool
}

fn plan(ledger: &SharedLedger) -> Plan {
    Plan {
        ledger: ledger.clone(),
        patience: LIMIT,
        ..Plan::default()
    }
}

fn books(ledger: &SharedLedger) -> Ledger {
    lock(ledger).clone()
}

/// Takes a buffer from `pool` in another thread and tells how that went.
fn acquire_elsewhere(pool: &RecyclingPool) -> mpsc::Receiver<Result<gst::Buffer, gst::FlowError>> {
    let (sender, receiver) = mpsc::channel();
    let pool = pool.clone();
    thread::spawn(move || sender.send(pool.acquire_buffer(None)));
    receiver
}

fn wait_until_somebody_waits(ledger: &SharedLedger) {
    while books(ledger).counts().waits == 0 {
        thread::yield_now();
    }
}

#[test]
fn a_buffer_that_came_home_is_lent_again() {
    let ledger = SharedLedger::default();
    let pool = active_pool(2, 0, plan(&ledger));
    assert_eq!(
        (
            books(&ledger).counts().allocations,
            books(&ledger).outstanding()
        ),
        (2, 0)
    );
    for _ in 0..10 {
        let first = pool.acquire_buffer(None).expect("a buffer");
        let _second = pool.acquire_buffer(None).expect("a buffer");
        assert!(RecyclingPool::lent(&ledger, &first).is_some());
        assert!(RecyclingPool::lent(&SharedLedger::default(), &first).is_none());
        assert!(RecyclingPool::lent(&ledger, &gst::Buffer::new()).is_none());
        assert_eq!(books(&ledger).outstanding(), 2);
    }
    let books_now = books(&ledger);
    assert_eq!(
        (books_now.counts().allocations, books_now.counts().hits()),
        (2, 20)
    );
    assert_eq!(books_now.outstanding(), 0);
    assert!(books_now.pooled_bytes() >= u64::from(2 * FRAME));
}

#[test]
fn copies_and_parts_that_share_the_memory_are_known() {
    let ledger = SharedLedger::default();
    let pool = active_pool(0, 0, plan(&ledger));
    let lent = pool.acquire_buffer(None).expect("a buffer");
    let shared = lent.copy();
    let part = lent.copy_region(gst::BufferCopyFlags::MEMORY, 100..200);
    drop(lent);
    assert!(RecyclingPool::lent(&ledger, &shared).is_some());
    assert!(RecyclingPool::lent(&ledger, &part.expect("a part")).is_some());
    let deep = shared.copy_deep().expect("a copy");
    assert!(RecyclingPool::lent(&ledger, &deep).is_none());
}

#[test]
fn memory_that_outlives_its_books_is_nobody_elses() {
    let ledger = SharedLedger::default();
    let pool = active_pool(0, 0, plan(&ledger));
    let lent = pool.acquire_buffer(None).expect("a buffer");
    let mut kept = gst::Buffer::new();
    let memory = lent.memory(0).expect("a buffer with memory");
    kept.make_mut().append_memory(memory);
    drop(lent);
    drop(pool);
    drop(ledger);
    // Where the old books are gone, one of so many lies at their address.
    let others: Vec<_> = (0..1_000).map(|_| SharedLedger::default()).collect();
    assert!(
        !others
            .iter()
            .any(|other| RecyclingPool::lent(other, &kept).is_some())
    );
}

#[test]
fn memory_is_off_the_books_when_the_pool_stops_or_ends() {
    let ledger = SharedLedger::default();
    let pool = active_pool(3, 0, plan(&ledger));
    pool.set_active(false).expect("a pool that stops");
    assert_eq!(books(&ledger).pooled_bytes(), 0);
    pool.set_active(true).expect("a pool that starts again");
    assert!(books(&ledger).pooled_bytes() > 0);
    drop(pool);
    assert_eq!(books(&ledger).pooled_bytes(), 0);
}

#[test]
fn a_buffer_may_outlive_everybody_elses_interest_in_the_pool() {
    let ledger = SharedLedger::default();
    let pool = active_pool(0, 0, plan(&ledger));
    let buffer = pool.acquire_buffer(None).expect("a buffer");
    pool.set_active(false).expect("a pool that stops");
    drop(pool);
    assert_eq!(books(&ledger).outstanding(), 1);
    drop(buffer);
    assert_eq!(
        (books(&ledger).outstanding(), books(&ledger).pooled_bytes()),
        (0, 0)
    );
}

#[test]
fn memory_that_a_user_kept_is_not_lent_again() {
    let ledger = SharedLedger::default();
    let pool = active_pool(0, 0, plan(&ledger));
    let buffer = pool.acquire_buffer(None).expect("a buffer");
    let mut kept = gst::Buffer::new();
    let memory = buffer.memory(0).expect("a buffer with memory");
    kept.make_mut().append_memory(memory);
    drop(buffer);
    let next = pool.acquire_buffer(None).expect("a buffer");
    assert_ne!(next.peek_memory(0).as_ptr(), kept.peek_memory(0).as_ptr());
    assert_eq!(
        (
            books(&ledger).counts().allocations,
            books(&ledger).counts().hits()
        ),
        (2, 0)
    );
}

#[test]
fn who_does_not_want_to_wait_is_told_that_the_pool_is_at_its_maximum() {
    let ledger = SharedLedger::default();
    let pool = active_pool(0, 1, plan(&ledger));
    let _held = pool.acquire_buffer(None).expect("a buffer");
    let at_once = gst::BufferPoolAcquireParams::with_flags(gst::BufferPoolAcquireFlags::DONTWAIT);
    assert_eq!(
        pool.acquire_buffer(Some(&at_once)),
        Err(gst::FlowError::Eos)
    );
    assert_eq!(books(&ledger).counts().waits, 0);
}

#[test]
fn a_waiter_gets_the_buffer_that_comes_home() {
    let ledger = SharedLedger::default();
    let pool = active_pool(0, 1, plan(&ledger));
    let held = pool.acquire_buffer(None).expect("a buffer");
    let waiter = acquire_elsewhere(&pool);
    wait_until_somebody_waits(&ledger);
    drop(held);
    assert!(waiter.recv_timeout(LIMIT).expect("an answer").is_ok());
    assert_eq!(
        (
            books(&ledger).counts().allocations,
            books(&ledger).counts().hits()
        ),
        (1, 1)
    );
}

#[test]
fn a_flush_wakes_a_waiter() {
    let ledger = SharedLedger::default();
    let pool = active_pool(0, 1, plan(&ledger));
    let _held = pool.acquire_buffer(None).expect("a buffer");
    let waiter = acquire_elsewhere(&pool);
    wait_until_somebody_waits(&ledger);
    pool.set_flushing(true);
    let answer = waiter.recv_timeout(LIMIT).expect("an answer");
    assert_eq!(answer.err(), Some(gst::FlowError::Flushing));
    pool.set_flushing(false);
    assert_eq!(books(&ledger).outstanding(), 1);
}

#[test]
fn a_retired_pool_lets_nobody_wait() {
    let ledger = SharedLedger::default();
    let pool = active_pool(0, 1, plan(&ledger));
    let _held = pool.acquire_buffer(None).expect("a buffer");
    let waiter = acquire_elsewhere(&pool);
    wait_until_somebody_waits(&ledger);
    pool.retire();
    let _second = waiter
        .recv_timeout(LIMIT)
        .expect("an answer")
        .expect("a buffer");
    let _third = pool.acquire_buffer(None).expect("a buffer");
    assert_eq!(books(&ledger).outstanding(), 3);
    // Nobody's patience ended.
    assert_eq!(
        (
            books(&ledger).counts().waits,
            books(&ledger).counts().timeouts
        ),
        (1, 0)
    );
}

#[test]
fn the_config_shows_the_maximum() {
    gst::init().expect("GStreamer starts");
    let limits = Limits {
        size: FRAME,
        min: 1,
        max: 4,
    };
    let pool = RecyclingPool::new(&caps(), limits, Plan::default()).expect("a pool");
    let params = pool.config().params().expect("params");
    assert_eq!((params.2, params.3), (1, 4));
}

/// A buffer of a pool whose addresses (and strides, where `with_meta`) are multiples of `mask` + 1.
fn aligned_buffer(mask: u32, with_meta: bool) -> gst::Buffer {
    gst::init().expect("GStreamer starts");
    let plan = Plan {
        address_mask: mask,
        stride_mask: mask.min(255),
        ..Plan::default()
    };
    let limits = Limits {
        size: FRAME,
        ..Limits::default()
    };
    let pool = RecyclingPool::new(&caps(), limits, plan).expect("a pool");
    let mut config = pool.config();
    if with_meta {
        config.add_option(gst_video::BUFFER_POOL_OPTION_VIDEO_META);
    }
    pool.set_config(config).expect("a config that works");
    pool.set_active(true).expect("a pool that starts");
    pool.acquire_buffer(None).expect("a buffer")
}

fn address(buffer: &gst::Buffer) -> usize {
    buffer.map_readable().expect("a map").as_slice().as_ptr() as usize
}

#[test]
fn strides_differ_from_the_default_only_where_upstream_reads_them() {
    let plain = aligned_buffer(255, false);
    assert_eq!((address(&plain) % 256, plain.size()), (0, FRAME as usize));
    assert!(plain.meta::<gst_video::VideoMeta>().is_none());
    let strided = aligned_buffer(255, true);
    assert_eq!(address(&strided) % 256, 0);
    let meta = strided.meta::<gst_video::VideoMeta>().expect("a meta");
    assert!(meta.stride().iter().all(|stride| stride % 256 == 0));
    assert!(strided.size() > FRAME as usize);
}

#[test]
fn frames_aligned_to_pages_keep_their_rows_close_together() {
    let buffer = aligned_buffer(4095, true);
    assert_eq!(address(&buffer) % 4096, 0);
    let meta = buffer.meta::<gst_video::VideoMeta>().expect("a meta");
    // A row of luma is as long as two of chroma.
    assert_eq!(meta.stride(), &[512, 256, 256]);
}

/// A pool of one whose only buffer is out, and that waits for 10 ms.
fn full_pool(ledger: &SharedLedger, when_full: WhenFull) -> (RecyclingPool, gst::Buffer) {
    let plan = Plan {
        patience: Duration::from_millis(10),
        when_full,
        ..plan(ledger)
    };
    let pool = active_pool(0, 1, plan);
    let held = pool.acquire_buffer(None).expect("a buffer");
    (pool, held)
}

#[test]
fn a_pool_that_grows_lends_more_than_its_maximum_after_a_while() {
    let ledger = SharedLedger::default();
    let (pool, held) = full_pool(&ledger, WhenFull::Grow);
    let more: Vec<_> = (0..3)
        .map(|_| pool.acquire_buffer(None).expect("a buffer"))
        .collect();
    let lent = more
        .iter()
        .map(|buffer| RecyclingPool::lent(&ledger, buffer));
    let within = Lent {
        beyond_maximum: false,
    };
    assert!(lent.into_iter().all(|lent| lent == Some(within)));
    // Who waited once in vain does not wait again before a buffer came home.
    let counts = books(&ledger).counts();
    assert_eq!((counts.waits, counts.timeouts), (1, 1));
    assert_eq!(books(&ledger).outstanding(), 4);
    drop((more, held));
    let _again = pool.acquire_buffer(None).expect("a buffer");
    assert_eq!(books(&ledger).counts().waits, 1);
    pool.acquire_buffer(None).expect("a buffer");
    assert_eq!(books(&ledger).counts().waits, 2);
}

#[test]
fn a_pool_that_drops_marks_what_it_lends_beyond_its_maximum() {
    let ledger = SharedLedger::default();
    let (pool, held) = full_pool(&ledger, WhenFull::Drop);
    let beyond = |buffer: &gst::Buffer| {
        let lent = RecyclingPool::lent(&ledger, buffer);
        lent.expect("a buffer of ours").beyond_maximum
    };
    assert!(!beyond(&held));
    let surplus = pool.acquire_buffer(None).expect("a buffer");
    assert!(beyond(&surplus) && beyond(&surplus.copy()));
    drop((surplus, held));
    assert!(!beyond(&pool.acquire_buffer(None).expect("a buffer")));
}

#[test]
fn a_pool_shrinks_to_what_was_needed_lately() {
    let ledger = SharedLedger::default();
    let plan = Plan {
        window: Duration::from_secs(2),
        ..plan(&ledger)
    };
    let pool = active_pool(1, 0, plan);
    let stall: Vec<_> = (0..20)
        .map(|_| pool.acquire_buffer(None).expect("a buffer"))
        .collect();
    let one = u64::from(FRAME);
    drop(stall);
    let _in_use = pool.acquire_buffer(None).expect("a buffer");
    let now = clock::monotonic();
    pool.trim(now);
    assert!(books(&ledger).pooled_bytes() >= 20 * one, "too early");
    pool.trim(now.after(Duration::from_secs(3)));
    let held = books(&ledger).pooled_bytes();
    assert!((one..2 * one).contains(&held), "{held}");
    assert!(books(&ledger).counts().trimmed_bytes >= 19 * one);
    assert_eq!(books(&ledger).counts().allocations, 20);
    // It works on as before.
    let _another = pool.acquire_buffer(None).expect("a buffer");
    assert_eq!(books(&ledger).outstanding(), 2);
}

#[test]
fn free_buffers_beyond_the_limit_go_as_they_come_home() {
    let ledger = SharedLedger::default();
    let plan = Plan {
        most_free: 3 * u64::from(FRAME) + 2_000,
        ..plan(&ledger)
    };
    let pool = active_pool(0, 0, plan);
    let all: Vec<_> = (0..10)
        .map(|_| pool.acquire_buffer(None).expect("a buffer"))
        .collect();
    drop(all);
    let held = books(&ledger).pooled_bytes() / u64::from(FRAME);
    assert_eq!(held, 3);
}
