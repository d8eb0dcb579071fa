//! The pipelines that run in this process.

use std::sync::Mutex;

use gst::glib;
use gst::prelude::*;

use crate::runtime::lock::lock;

/// Pipelines that are alive, in the order in which they were first started.
#[derive(Debug, Default)]
pub(super) struct Pipelines(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    known: Vec<Known>,
    started: u64,
}

#[derive(Debug)]
struct Known {
    number: u64,
    top: glib::WeakRef<gst::Bin>,
    /// Buffers that were told of when it ended last.
    told: u64,
}

impl Pipelines {
    /// `top` is started: whether for the first time.
    pub(super) fn add(&self, top: &gst::Bin) -> bool {
        let mut list = lock(&self.0);
        list.known.retain(|known| known.top.upgrade().is_some());
        let again = list.known.iter_mut().find(|known| known.top == *top);
        if let Some(known) = again {
            known.told = 0;
            return false;
        }
        list.started += 1;
        let known = Known {
            number: list.started,
            top: top.downgrade(),
            told: 0,
        };
        list.known.push(known);
        true
    }

    /// Whether the end of `top` was told of before, with as many `buffers`.
    pub(super) fn is_told(&self, top: &gst::Bin, buffers: u64) -> bool {
        let mut list = lock(&self.0);
        let known = list.known.iter_mut().find(|known| known.top == *top);
        known.is_none_or(|known| std::mem::replace(&mut known.told, buffers) == buffers)
    }

    /// All that are alive, each with the name that tells it from the others.
    pub(super) fn all(&self) -> Vec<(String, gst::Bin)> {
        let alive: Vec<(u64, gst::Bin)> = {
            let list = lock(&self.0);
            let known = list.known.iter();
            let alive = known.filter_map(|known| Some((known.number, known.top.upgrade()?)));
            alive.collect()
        };
        let names: Vec<String> = alive
            .iter()
            .map(|(_, top)| top.name().to_string())
            .collect();
        let called = |at: usize, number: u64| {
            let name = &names[at];
            match names.iter().filter(|other| *other == name).count() {
                1 => name.clone(),
                _ => format!("{name}#{number}"),
            }
        };
        let alive = alive.into_iter().enumerate();
        alive
            .map(|(at, (number, top))| (called(at, number), top))
            .collect()
    }

    /// The name of `top` among all.
    pub(super) fn name(&self, top: &gst::Bin) -> String {
        let found = self.all().into_iter().find(|(_, other)| other == top);
        found.map_or_else(|| top.name().to_string(), |(name, _)| name)
    }
}
