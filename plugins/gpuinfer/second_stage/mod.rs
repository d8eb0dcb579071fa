//! A network that looks into the objects of another: which parts of a frame it sees, and what comes of it.
//!
//! A tracked object is looked at when it comes, when its box has grown by half, and every so often where the user
//! says so; on the frames between it keeps what was found.

mod parents;

use std::time::Duration;

use livetune_core::infer::{Area, Detection, Found, Region, Revisit, RevisitConfig, Size};
use livetune_core::time::MediaTime;

use super::objects::{Object, Origin, Told, What};
use super::tensors::{Place, Tensor};
use parents::Parent;

/// What the network said of an object that is tracked.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// Boxes are parts of the object's own, 0 to 1.
    found: Vec<(What, Detection)>,
    tensors: Vec<Tensor>,
    looked: MediaTime,
}

/// The objects of one frame that the network looks into, and those that it knows already.
#[derive(Debug, Default)]
pub(super) struct Visit {
    parents: Vec<Parent>,
    regions: Vec<Region>,
    /// Of the stream.
    generation: u64,
}

impl Visit {
    /// The parts of the frame that the network has to see; none where all is known.
    pub(super) fn regions(&self) -> &[Region] {
        &self.regions
    }
}

/// The second stage of one stream. Its buffers are reused.
#[derive(Debug)]
pub(super) struct SecondStage {
    /// Labels of the objects that it looks into; of all where there is none.
    labels: Vec<String>,
    cache: Revisit<Memory>,
    /// How often the stream began anew.
    generation: u64,
    visits: Vec<Visit>,
    memories: Vec<Memory>,
}

impl SecondStage {
    /// Looks into objects with one of these `labels`, which commas part; into all where there is none. Looks again
    /// after `interval`, where that is not nought.
    pub(super) fn new(labels: Option<&str>, interval: Duration) -> Self {
        let labels = labels.unwrap_or_default().split(',').map(str::trim);
        Self {
            labels: labels
                .filter(|label| !label.is_empty())
                .map(str::to_owned)
                .collect(),
            cache: Revisit::new(RevisitConfig {
                interval: (!interval.is_zero()).then_some(interval),
                ..RevisitConfig::DEFAULT
            }),
            generation: 0,
            visits: Vec::new(),
            memories: Vec::new(),
        }
    }

    /// What is to be looked at on `buffer`, a frame of the size `frame` and of the time `now`.
    pub(super) fn visit(&mut self, buffer: &gst::BufferRef, frame: Size, now: MediaTime) -> Visit {
        let mut visit = self.visits.pop().unwrap_or_default();
        visit.regions.clear();
        visit.generation = self.generation;
        parents::read(buffer, frame, &self.labels, &mut visit.parents);
        for parent in &mut visit.parents {
            let is_wanted = match parent.track {
                Some(track) => self.cache.on_object(track, &parent.area, now).is_some(),
                None => true,
            };
            parent.region = is_wanted.then_some(visit.regions.len());
            visit.regions.extend(is_wanted.then_some(parent.rect));
        }
        visit
    }

    /// Adds to `told` what was `found` in the regions of `visit`, and what is known of its other objects. `found` is
    /// empty where no answer came.
    pub(super) fn apply(
        &mut self,
        visit: Visit,
        found: &[Found],
        (frame, now): (Size, MediaTime),
        told: &mut Told,
    ) {
        let is_current = visit.generation == self.generation;
        for parent in &visit.parents {
            // A track of before the stream began anew is not that of the same number.
            let track = parent.track.filter(|_| is_current);
            let answer = parent.region.and_then(|at| found.get(at));
            let answer = answer.filter(|found| found.failure.is_none());
            let Some(answer) = answer else {
                if let Some(track) = track {
                    self.recall(track, parent, (frame, now), told);
                }
                continue;
            };
            let all = classified(answer, parent).chain(detected(answer));
            told.objects
                .extend(all.filter_map(|(what, found)| parent.child(what, &found, frame)));
            let first = told.tensors.len();
            told.tensors.extend(parent.tensors(answer));
            if let Some(track) = track {
                let mut memory = self.memories.pop().unwrap_or_default();
                memory.looked = now;
                memory.found.clear();
                let all = classified(answer, parent).chain(detected(answer));
                let relative = |(what, found)| (what, parent.relative(found));
                memory.found.extend(all.map(relative));
                memory.tensors.clear();
                memory.tensors.extend_from_slice(&told.tensors[first..]);
                let before = self.cache.learn(track, memory, &parent.area, now);
                self.memories.extend(before);
            }
        }
        self.visits.push(visit);
    }

    /// Nothing comes of `visit`, whose frame is not shown: what it was to look at is looked at on the next frame.
    pub(super) fn abandon(&mut self, visit: Visit) {
        let is_current = visit.generation == self.generation;
        let asked = visit
            .parents
            .iter()
            .filter(|parent| is_current && parent.region.is_some());
        for track in asked.filter_map(|parent| parent.track) {
            self.cache.give_up(track);
        }
        self.visits.push(visit);
    }

    /// The stream begins anew, with other objects.
    pub(super) fn reset(&mut self) {
        self.generation += 1;
        self.cache.reset();
    }

    /// What is known of an object that was not looked at.
    fn recall(
        &mut self,
        track: u64,
        parent: &Parent,
        (frame, now): (Size, MediaTime),
        told: &mut Told,
    ) {
        if parent.region.is_some() {
            self.cache.give_up(track);
        }
        let Some(memory) = self.cache.known(track) else {
            return;
        };
        let age = now.since(memory.looked);
        let known = memory.found.iter().filter_map(|(what, found)| {
            let child = parent.child(*what, &parent.absolute(*found), frame)?;
            let origin = Origin::Carried { age };
            Some(Object { origin, ..child })
        });
        told.objects.extend(known);
        let tensors = memory.tensors.iter().map(|tensor| Tensor {
            region: parent.rect,
            parent: Some(parent.id),
            ..tensor.clone()
        });
        told.tensors.extend(tensors);
    }
}

/// What a classifier is surest of, which goes for the whole object.
fn classified(found: &Found, parent: &Parent) -> impl Iterator<Item = (What, Detection)> {
    let area = parent.area;
    let first = found.classes.first().map(|class| Detection {
        area,
        class: class.class,
        confidence: class.confidence,
    });
    first.into_iter().map(|found| (What::Classified, found))
}

fn detected(found: &Found) -> impl Iterator<Item = (What, Detection)> + '_ {
    let all = found.objects.iter();
    all.map(|found| (What::Detected, *found))
}

impl Parent {
    fn child(&self, what: What, found: &Detection, frame: Size) -> Option<Object> {
        found.area.is_proper().then(|| Object {
            what,
            parent: Some(self.id),
            ..Object::inferred(found, frame)
        })
    }

    /// The outputs for it that nobody here makes sense of.
    fn tensors<'a>(&self, found: &'a Found) -> impl Iterator<Item = Tensor> + use<'a> {
        let place = Place {
            region: self.rect,
            is_part: true,
            parent: Some(self.id),
        };
        let outputs = found.tensors().iter();
        outputs.filter_map(move |output| Tensor::of(output, place))
    }

    /// `found` with its box as parts of this object's.
    fn relative(&self, found: Detection) -> Detection {
        let (width, height) = self.size();
        let area = Area {
            left: (found.area.left - self.area.left) / width,
            top: (found.area.top - self.area.top) / height,
            right: (found.area.right - self.area.left) / width,
            bottom: (found.area.bottom - self.area.top) / height,
        };
        Detection { area, ..found }
    }

    /// The other way round.
    fn absolute(&self, found: Detection) -> Detection {
        let (width, height) = self.size();
        let area = Area {
            left: self.area.left + found.area.left * width,
            top: self.area.top + found.area.top * height,
            right: self.area.left + found.area.right * width,
            bottom: self.area.top + found.area.bottom * height,
        };
        Detection { area, ..found }
    }

    fn size(&self) -> (f32, f32) {
        let Area {
            left,
            top,
            right,
            bottom,
        } = self.area;
        (right - left, bottom - top)
    }
}

#[cfg(test)]
mod tests;
