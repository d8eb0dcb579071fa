//! What all measured pads of a pipeline have come to at one time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gst::glib;
use gst::prelude::*;
use livetune_core::latency::Mark;
use livetune_core::time::MediaTime;
use livetune_core::units::Ratio;

use super::outlet::Outlet;
use super::paths::{self, Net, Way};
use super::stages::path;
use super::station;
use crate::latencytracer::output::model::Path;
use crate::runtime::lock::lock;

/// The ways through one pipeline, and all that was measured on them so far.
pub(in crate::latencytracer) struct Survey {
    pub(super) pipeline: String,
    pub(super) ways: Vec<Seen>,
    marks: HashMap<u64, Mark>,
}

/// A way as it was at the time of the survey.
pub(super) struct Seen {
    pub(super) source: String,
    pub(super) sink: String,
    pub(super) hops: Vec<SeenHop>,
    /// Number of the point at its end.
    pub(super) end: Option<u64>,
}

pub(super) struct SeenHop {
    pub(super) name: String,
    /// How full it is, where it is a queue.
    pub(super) fill: Option<Ratio>,
    /// Number of its point.
    pub(super) point: u64,
}

/// What somebody who asks for intervals has seen before.
#[derive(Debug, Default)]
pub(in crate::latencytracer) struct Intervals(HashMap<u64, Mark>);

impl Intervals {
    /// What came since the surveys before these.
    pub(in crate::latencytracer) fn next(&mut self, surveys: Vec<Survey>) -> Vec<Path> {
        let paths = surveys
            .iter()
            .flat_map(|survey| self.since(survey))
            .collect();
        self.0 = surveys
            .into_iter()
            .flat_map(|survey| survey.marks)
            .collect();
        paths
    }

    /// What came in one pipeline since the surveys before this one.
    pub(in crate::latencytracer) fn last(&mut self, survey: Survey) -> Vec<Path> {
        let paths = self.since(&survey);
        self.0.extend(survey.marks);
        paths
    }

    fn since(&self, survey: &Survey) -> Vec<Path> {
        survey.paths(|id, mark| match self.0.get(&id) {
            Some(before) => mark.since(before),
            None => mark.clone(),
        })
    }
}

impl Survey {
    /// Looks at `top`, which is called `name`, at `now`. Where its run is `over`, what has not come counts as lost.
    /// Takes the locks of elements and pads.
    pub(in crate::latencytracer) fn of(
        net: &impl Net,
        top: &gst::Bin,
        name: String,
        over: bool,
        now: MediaTime,
    ) -> Self {
        let ways = paths::find(net, top);
        let names = names(&ways);
        let mut marks = Marks {
            over,
            now,
            ..Marks::default()
        };
        let ways = ways
            .iter()
            .map(|way| seen(way, &names, &mut marks))
            .collect();
        Self {
            pipeline: name,
            ways,
            marks: marks.by_id,
        }
    }

    /// All that was measured so far.
    pub(in crate::latencytracer) fn total(&self) -> Vec<Path> {
        self.paths(|_, mark| mark.clone())
    }

    fn paths(&self, over: impl Fn(u64, &Mark) -> Mark) -> Vec<Path> {
        let measured = self.marks.iter().map(|(id, mark)| (*id, over(*id, mark)));
        let measured: HashMap<u64, Mark> = measured.collect();
        let ways = self.ways.iter();
        ways.map(|way| path(&self.pipeline, way, &measured))
            .collect()
    }
}

/// Ways share their stages: each is asked once.
#[derive(Default)]
struct Marks {
    over: bool,
    now: MediaTime,
    numbers: HashMap<*const (), u64>,
    by_id: HashMap<u64, Mark>,
}

impl Marks {
    fn of<T>(&mut self, place: &Arc<T>, ask: impl FnOnce(bool, MediaTime) -> (u64, Mark)) -> u64 {
        let key = Arc::as_ptr(place).cast();
        if let Some(id) = self.numbers.get(&key) {
            return *id;
        }
        let (id, mark) = ask(self.over, self.now);
        self.by_id.insert(id, mark);
        self.numbers.insert(key, id);
        id
    }

    fn of_outlet(&mut self, outlet: &Arc<Outlet>) -> u64 {
        self.of(outlet, |over, now| outlet.mark(over, now))
    }
}

fn seen(way: &Way, names: &HashMap<gst::Pad, String>, marks: &mut Marks) -> Seen {
    let hops = way.hops.iter().map(|hop| SeenHop {
        name: names.get(&hop.pad).cloned().unwrap_or_default(),
        fill: station::fill(&hop.element, &hop.pad),
        point: marks.of_outlet(&hop.outlet),
    });
    let hops = hops.collect();
    let source = way.hops.first().map(|hop| hop.element.name().to_string());
    let end = way.end.as_ref();
    Seen {
        source: source.unwrap_or_default(),
        sink: way.sink.name().to_string(),
        hops,
        end: end.map(|end| marks.of(end, |over, now| lock(end.point()).mark(over, now))),
    }
}

/// What each stage is called, each otherwise: by its element, with those of the bins around it where elements are called
/// the same, and with its pad where frames leave it by several.
fn names(ways: &[Way]) -> HashMap<gst::Pad, String> {
    let mut stations: HashMap<gst::Element, HashSet<gst::Pad>> = HashMap::new();
    for hop in ways.iter().flat_map(|way| &way.hops) {
        let pads = stations.entry(hop.element.clone()).or_default();
        pads.insert(hop.pad.clone());
    }
    let mut called: HashMap<glib::GString, usize> = HashMap::new();
    for element in stations.keys() {
        *called.entry(element.name()).or_default() += 1;
    }
    let mut names = HashMap::new();
    for (element, pads) in &stations {
        let name = match called.get(&element.name()) {
            Some(1) => element.name().to_string(),
            _ => station::qualified_name(element),
        };
        names.extend(pads.iter().map(|pad| match pads.len() {
            1 => (pad.clone(), name.clone()),
            _ => (pad.clone(), format!("{name}:{}", pad.name())),
        }));
    }
    names
}
