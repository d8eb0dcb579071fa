//! A thread that owns a network and runs it on one batch after the other.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use livetune_core::infer::{Batch, Frame, Stages};
use livetune_core::time::MediaTime;

use super::answer::{Answer, Outcome};
use super::bench::Bench;
use super::crew::Member;
use super::floor::{Floor, Pending};
use super::network::{Network, Opened};
use crate::gpuinfer::engine;
use crate::runtime::clock;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

/// Batches that failed one after the other before the network is opened anew.
const FAILURES: u32 = 3;
const DIED: &str = "the worker of the network died: please report it";

/// Puts the worker `member` to work, with its `network` where it is there already.
pub(super) fn start(
    floor: &Arc<Floor>,
    member: Member,
    network: Option<Box<dyn Network>>,
) -> Result<JoinHandle<()>, String> {
    let floor = floor.clone();
    let name = format!("gpuinfer {}", member.id);
    let thread = thread::Builder::new().name(name).spawn(move || {
        let end = guard("a worker of gpuinfer", Err(DIED.to_owned()), || {
            work(&floor, member, network)
        });
        floor.on_network_gone(member);
        engine::on_gone();
        if let Err(why) = end {
            floor.on_death(member, why);
        }
    });
    thread.map_err(|error| format!("there is no thread for the network: {error}"))
}

/// Works until the worker is to go; the error is why it cannot go on.
fn work(
    floor: &Arc<Floor>,
    member: Member,
    network: Option<Box<dyn Network>>,
) -> Result<(), String> {
    let network = match network {
        Some(network) => network,
        None => {
            let opened = floor.source.open(member.threads);
            let Opened { network, facts } = opened.map_err(|error| error.to_string())?;
            floor.on_opened(facts, network.max_batch());
            network
        }
    };
    floor.on_network(member, network.stopper());
    let home = network.home();
    home.run(|| serve(floor, member, network))
}

/// Warms the network up and runs what there is to run.
fn serve(floor: &Arc<Floor>, member: Member, network: Box<dyn Network>) -> Result<(), String> {
    let mut bench = Bench::new(network);
    let sizes = lock(&floor.sizes).warm_up.clone();
    let measured = bench.warm_up(&sizes)?;
    floor.on_ready(member, &measured);
    let mut tray = Tray::default();
    while let Some(batch) = floor.next(member, &mut tray.frames) {
        let start = clock::monotonic();
        let outcome = bench.run(floor, &mut tray);
        let now = clock::monotonic();
        match outcome {
            Ok(stages) => {
                floor.on_batch(batch.weight, now.since(start));
                tray.answer(floor, (batch, stages), start, now);
                bench.failures = 0;
            }
            Err(why) => {
                tray.fail(floor, &why);
                bench.failures += 1;
                if bench.failures >= FAILURES {
                    return Err(why);
                }
            }
        }
    }
    Ok(())
}

/// The frames that a worker has in its hands. Whatever happens, each of them gets an answer.
#[derive(Default)]
pub(super) struct Tray {
    pub(super) frames: Vec<Frame<Pending>>,
    pub(super) answers: Vec<Answer>,
}

impl Tray {
    pub(super) fn lay_out(&mut self, floor: &Floor) {
        let pictures = self.frames.iter().map(|frame| frame.weight);
        let answers = pictures.map(|pictures| Answer::of(&floor.answers, pictures));
        self.answers.extend(answers);
    }

    fn answer(
        &mut self,
        floor: &Floor,
        (batch, stages): (Batch, Stages),
        start: MediaTime,
        now: MediaTime,
    ) {
        let mut statistics = lock(&floor.statistics);
        statistics.on_batch(&batch, stages);
        for frame in &self.frames {
            let waited = start.since(frame.submitted);
            statistics.on_frame(waited, now.since(frame.submitted));
        }
        drop(statistics);
        for (mut frame, mut answer) in self.frames.drain(..).zip(self.answers.drain(..)) {
            let findings = answer.findings_mut();
            findings.regions = std::mem::take(&mut frame.job.job.regions);
            findings.stages = stages;
            findings.queue_wait = start.since(frame.submitted);
            findings.batch_size = batch.weight;
            findings.finished = now;
            deliver(frame, Outcome::Found(answer));
        }
    }

    fn fail(&mut self, floor: &Floor, why: &str) {
        self.answers.clear();
        for frame in self.frames.drain(..) {
            lock(&floor.statistics).on_failure();
            deliver(frame, Outcome::Failed(why.to_owned()));
        }
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        for frame in self.frames.drain(..) {
            deliver(frame, Outcome::Failed(DIED.to_owned()));
        }
    }
}

/// Lets go of the buffer, leaves the outcome, and calls the stream.
fn deliver(frame: Frame<Pending>, outcome: Outcome) {
    let Pending { mailbox, job } = frame.job;
    drop(job);
    if mailbox.put(frame.ticket, outcome) {
        mailbox.wake();
    }
}
