//! What becomes of a frame.

use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst_video::VideoInfo;
use livetune_core::infer::{Found, Stages, Thresholds};
use livetune_core::time::MediaTime;

use super::regions::Regions;
use crate::runtime::lock::lock;

/// Answers that are kept to be filled again.
const SPARE: usize = 256;

/// A frame for the network.
#[derive(Debug)]
pub(in crate::gpuinfer) struct Job {
    /// It is mapped for reading, and let go before the answer comes.
    pub(in crate::gpuinfer) buffer: gst::Buffer,
    pub(in crate::gpuinfer) info: VideoInfo,
    /// Parts of the frame to look at, each by itself; none: the whole frame.
    pub(in crate::gpuinfer) regions: Regions,
    pub(in crate::gpuinfer) thresholds: Thresholds,
}

/// What became of a frame.
#[derive(Debug)]
pub(in crate::gpuinfer) enum Outcome {
    /// The network has seen it.
    Found(Answer),
    /// A newer frame of its stream took its place.
    Superseded,
    /// The network could not look at it, and why.
    Failed(String),
}

/// What the network saw; the memory is used again.
#[derive(Debug)]
pub(in crate::gpuinfer) struct Answer {
    findings: Findings,
    pool: Arc<Pool>,
}

#[derive(Debug, Default)]
pub(in crate::gpuinfer) struct Findings {
    found: Vec<Found>,
    used: usize,
    /// The parts of the frame that were looked at; none: the whole frame.
    pub(in crate::gpuinfer) regions: Regions,
    /// How long the batch took.
    pub(in crate::gpuinfer) stages: Stages,
    /// How long the frame waited for its batch.
    pub(in crate::gpuinfer) queue_wait: Duration,
    /// Pictures in its batch.
    pub(in crate::gpuinfer) batch_size: usize,
    pub(in crate::gpuinfer) finished: MediaTime,
}

/// Answers that were read.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Vec<Findings>>);

impl Findings {
    /// What was found, by region; of the whole frame where the job named none.
    pub(in crate::gpuinfer) fn found(&self) -> &[Found] {
        &self.found[..self.used]
    }

    pub(super) fn found_mut(&mut self) -> &mut [Found] {
        &mut self.found[..self.used]
    }

    fn make_room(&mut self, pictures: usize) {
        self.used = pictures;
        self.found.iter_mut().for_each(Found::clear);
        if self.found.len() < pictures {
            self.found.resize_with(pictures, Found::default);
        }
    }
}

impl Job {
    /// Pictures that the network will see.
    pub(super) fn pictures(&self) -> usize {
        self.regions.len().max(1)
    }
}

impl Answer {
    /// One that is empty, with room for what is found in `pictures`.
    pub(super) fn of(pool: &Arc<Pool>, pictures: usize) -> Self {
        let mut findings = lock(&pool.0).pop().unwrap_or_default();
        findings.make_room(pictures);
        let pool = pool.clone();
        Self { findings, pool }
    }

    pub(super) const fn findings_mut(&mut self) -> &mut Findings {
        &mut self.findings
    }
}

impl Deref for Answer {
    type Target = Findings;

    fn deref(&self) -> &Findings {
        &self.findings
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let mut findings = std::mem::take(&mut self.findings);
        findings.regions = Regions::default();
        let mut spare = lock(&self.pool.0);
        if spare.len() < SPARE {
            spare.push(findings);
        }
    }
}
