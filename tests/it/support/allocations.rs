//! What Rust code takes from the heap, counted on the threads that ask for it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static TALLY: Cell<Option<&'static Tally>> = const { Cell::new(None) };
}

/// What the threads that joined have taken.
#[derive(Debug, Default)]
pub struct Tally {
    allocations: AtomicU64,
    bytes: AtomicI64,
}

impl Tally {
    pub fn new() -> &'static Self {
        Box::leak(Box::default())
    }

    /// Counts what this thread does from now on.
    pub fn join(&'static self) {
        TALLY.set(Some(self));
    }

    /// Counts nothing of this thread any more.
    pub fn leave() {
        TALLY.set(None);
    }

    /// How often memory was asked for.
    pub fn allocations(&self) -> u64 {
        self.allocations.load(Ordering::Relaxed)
    }

    /// What was taken and not given back.
    pub fn bytes(&self) -> i64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn took(&self, bytes: usize) {
        self.allocations.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as i64, Ordering::Relaxed);
    }

    fn gave(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes as i64, Ordering::Relaxed);
    }
}

/// The tally of this thread, which may be ending.
fn tally() -> Option<&'static Tally> {
    TALLY.try_with(Cell::get).ok().flatten()
}

/// The system's allocator with an eye on it.
struct Counting;

// SAFETY: all is done by the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(tally) = tally() {
            tally.took(layout.size());
        }
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if let Some(tally) = tally() {
            tally.took(layout.size());
        }
        // SAFETY: as the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        if let Some(tally) = tally() {
            tally.gave(layout.size());
        }
        // SAFETY: as the caller's.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if let Some(tally) = tally() {
            tally.gave(layout.size());
            tally.took(size);
        }
        // SAFETY: as the caller's.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[test]
fn only_threads_that_joined_are_counted() {
    let tally = Tally::new();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert_eq!(tally.allocations(), 0);
    tally.join();
    let kept = std::hint::black_box(vec![0u8; 1000]);
    std::thread::spawn(|| drop(std::hint::black_box(vec![0u8; 10_000])))
        .join()
        .expect("no panic");
    Tally::leave();
    let bytes = tally.bytes();
    assert!(
        (1000..10_000).contains(&bytes),
        "{bytes} for {}",
        kept.len()
    );
}
