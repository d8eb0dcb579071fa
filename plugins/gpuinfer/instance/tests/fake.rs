//! A network that finds one object in each picture: its class is the shade of the first pixel of the region.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use livetune_core::infer::{Area, Detection, Stages};

use super::super::network::{Facts, Network, Opened, Source};
use super::*;
use crate::gpuinfer::detector::Work;
use crate::gpuinfer::engine::Home;
use crate::gpuinfer::picture::Pixels;

/// What the test sees and says.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) device: ActiveDevice,
    pub(super) max_batch: usize,
    /// Threads of each network that was opened.
    pub(super) opened: Mutex<Vec<u32>>,
    /// Networks that are there.
    pub(super) alive: AtomicUsize,
    /// Sizes of the batches that ran.
    pub(super) sizes: Mutex<Vec<usize>>,
    /// Batches that run now.
    pub(super) running: AtomicUsize,
    /// The next batch ends in a panic.
    pub(super) panics: AtomicBool,
    /// Batches that will fail.
    pub(super) fails: AtomicU32,
    /// Networks that can still be opened.
    pub(super) left: AtomicU32,
    /// How often that was tried.
    pub(super) tries: AtomicU32,
    /// What those after the first run on, where that is not the same.
    pub(super) then: Mutex<Option<ActiveDevice>>,
    /// The thread that work is best done in.
    pub(super) home: Mutex<Home>,
    /// Names of the threads that it was done in.
    pub(super) places: Mutex<Vec<String>>,
    gate: (Mutex<bool>, Condvar),
}

impl Control {
    pub(super) fn new(device: ActiveDevice, max_batch: usize) -> Arc<Self> {
        Arc::new(Self {
            device,
            max_batch,
            opened: Mutex::default(),
            alive: AtomicUsize::new(0),
            sizes: Mutex::default(),
            running: AtomicUsize::new(0),
            panics: AtomicBool::new(false),
            fails: AtomicU32::new(0),
            left: AtomicU32::new(u32::MAX),
            tries: AtomicU32::new(0),
            then: Mutex::default(),
            home: Mutex::default(),
            places: Mutex::default(),
            gate: (Mutex::new(true), Condvar::new()),
        })
    }

    /// Whether batches come to their end.
    pub(super) fn set_open(&self, open: bool) {
        *lock(&self.gate.0) = open;
        self.gate.1.notify_all();
    }

    /// Waits until `count` batches are in the network.
    pub(super) fn wait_running(&self, count: usize) {
        eventually("a batch in the network", || {
            self.running.load(Ordering::SeqCst) == count
        });
    }

    fn pass(&self) {
        let mut open = lock(&self.gate.0);
        while !*open {
            let woken = self.gate.1.wait_timeout(open, LIMIT);
            let (guard, limit) = woken.unwrap_or_else(PoisonError::into_inner);
            // A test that failed opens no gate.
            if limit.timed_out() {
                return;
            }
            open = guard;
        }
    }
}

/// Takes one off, where there is one.
fn count_down(count: &AtomicU32) -> bool {
    let less = |count: u32| count.checked_sub(1);
    let order = Ordering::SeqCst;
    count.fetch_update(order, order, less).is_ok()
}

pub(super) struct FakeSource(pub(super) Arc<Control>);

impl Source for FakeSource {
    fn open(&self, threads: u32) -> Result<Opened, gst::ErrorMessage> {
        let is_first = self.0.tries.fetch_add(1, Ordering::SeqCst) == 0;
        let then = lock(&self.0.then).filter(|_| !is_first);
        let left = &self.0.left;
        let less = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
        if less.is_err() {
            return Err(gst::error_msg!(
                gst::LibraryError::Init,
                ("no more networks")
            ));
        }
        lock(&self.0.opened).push(threads);
        self.0.alive.fetch_add(1, Ordering::SeqCst);
        Ok(Opened {
            network: Box::new(FakeNetwork(self.0.clone())),
            facts: Facts {
                active: "a fake".to_owned(),
                device: then.unwrap_or(self.0.device),
                terms: Arc::default(),
                warnings: then
                    .iter()
                    .map(|then| format!("{then:?} instead"))
                    .collect(),
            },
        })
    }
}

struct FakeNetwork(Arc<Control>);

impl Network for FakeNetwork {
    fn max_batch(&self) -> usize {
        self.0.max_batch
    }

    fn home(&self) -> Home {
        lock(&self.0.home).clone()
    }

    fn detect(&mut self, work: &mut [Work<'_>]) -> Result<Stages, String> {
        let place = std::thread::current().name().map(str::to_owned);
        lock(&self.0.places).extend(place);
        assert!(work.len() <= self.0.max_batch, "{}", work.len());
        self.0.running.fetch_add(1, Ordering::SeqCst);
        self.0.pass();
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        lock(&self.0.sizes).push(work.len());
        assert!(!self.0.panics.swap(false, Ordering::SeqCst), "on purpose");
        if count_down(&self.0.fails) {
            return Err("no memory left".to_owned());
        }
        for one in work {
            let Pixels::Gray(plane) = one.picture.pixels else {
                return Err("not grey".to_owned());
            };
            let at = one.region.map_or(0, |region| {
                region.top as usize * plane.stride + region.left as usize
            });
            one.found.objects.push(Detection {
                area: Area::around(8.0, 8.0, 4.0, 4.0),
                class: usize::from(plane.data[at]),
                confidence: 0.9,
            });
        }
        Ok(Stages::default())
    }
}

impl Drop for FakeNetwork {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An instance of the fake on a machine with so many `cores`.
pub(super) fn instance(
    control: &Arc<Control>,
    schedule: &ScheduleOptions,
    cores: usize,
) -> Arc<Instance> {
    gst::init().expect("GStreamer starts");
    let about = About {
        threads: 0,
        cores,
        model_bytes: 7,
    };
    let source = Box::new(FakeSource(control.clone()));
    Arc::new(Instance::start(source, schedule, about).expect("it opens"))
}

/// One core, batches of one.
pub(super) fn single() -> (Arc<Control>, Arc<Instance>) {
    let control = Control::new(ActiveDevice::Cpu, 1);
    let instance = instance(&control, &ScheduleOptions::default(), 1);
    (control, instance)
}
