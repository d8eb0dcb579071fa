//! The pipelines that run in this process.

use std::sync::Mutex;

use gst::glib;
use gst::prelude::*;

use crate::runtime::lock::lock;

/// Pipelines that are alive, in the order in which they were first started.
#[derive(Debug, Default)]
pub(super) struct Pipelines(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    list: Vec<(u64, glib::WeakRef<gst::Bin>)>,
    started: u64,
}

impl Pipelines {
    /// `top` is started.
    pub(super) fn add(&self, top: &gst::Bin) {
        let mut known = lock(&self.0);
        known.list.retain(|(_, weak)| weak.upgrade().is_some());
        if known.list.iter().all(|(_, weak)| *weak != *top) {
            known.started += 1;
            let number = known.started;
            known.list.push((number, top.downgrade()));
        }
    }

    /// All that are alive, each with the name that tells it from the others.
    pub(super) fn all(&self) -> Vec<(String, gst::Bin)> {
        let alive: Vec<(u64, gst::Bin)> = {
            let known = lock(&self.0);
            let alive = known.list.iter();
            alive
                .filter_map(|(number, weak)| Some((*number, weak.upgrade()?)))
                .collect()
        };
        let names: Vec<String> = alive
            .iter()
            .map(|(_, top)| top.name().to_string())
            .collect();
        let unique = |at: usize| names.iter().filter(|name| **name == names[at]).count() == 1;
        let called = alive
            .iter()
            .enumerate()
            .map(|(at, (number, _))| match unique(at) {
                true => names[at].clone(),
                false => format!("{}#{number}", names[at]),
            });
        called
            .zip(alive.iter().map(|(_, top)| top.clone()))
            .collect()
    }

    /// The name of `top` among all.
    pub(super) fn name(&self, top: &gst::Bin) -> String {
        let found = self.all().into_iter().find(|(_, other)| other == top);
        found.map_or_else(|| top.name().to_string(), |(name, _)| name)
    }
}
