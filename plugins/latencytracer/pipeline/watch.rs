//! Looks at every pad of a pipeline, of its bins, and of what is added to it later.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use gst::glib;
use gst::prelude::*;

use super::outlet::Outlet;
use super::paths::Net;
use super::probe;
use super::route::links_changed;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;

/// All looks end with it.
pub(in crate::latencytracer) struct Watch(Arc<Watched>);

struct Watched {
    /// Tells what is measured here from what others measure. Zero is the tracer.
    observer: u64,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    /// Nothing is looked at any more.
    closed: bool,
    /// By the address of the object, which stays as long as the handlers at it.
    objects: HashMap<usize, Place>,
}

/// A pad, an element or the pipeline.
struct Place {
    object: glib::WeakRef<gst::Object>,
    handlers: Vec<glib::SignalHandlerId>,
    outlet: Option<(gst::PadProbeId, Arc<Outlet>)>,
}

impl Watch {
    /// Looks at all of `top` from now on.
    /// Leaves off where `owner` is taken out of it.
    pub(in crate::latencytracer) fn new(top: &gst::Bin, owner: &gst::Element) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let watched = Arc::new(Watched {
            observer: LAST.fetch_add(1, Ordering::Relaxed) + 1,
            places: Mutex::default(),
        });
        links_changed();
        let owner = owner.downgrade();
        let (added, removed) = (Arc::downgrade(&watched), Arc::downgrade(&watched));
        let handlers = vec![
            top.connect_deep_element_added(move |_, _, element| {
                with(&added, |watched| watched.add_element(element));
            }),
            top.connect_deep_element_removed(move |_, _, element| {
                with(&removed, |watched| match owner.upgrade() {
                    Some(owner) if owner == *element => watched.close(),
                    _ => watched.remove_element(element),
                });
            }),
        ];
        watched.keep(top.upcast_ref(), handlers, None);
        for element in all(top) {
            watched.add_element(&element);
        }
        Self(watched)
    }

    /// Forgets all that was measured.
    pub(in crate::latencytracer) fn reset(&self) {
        for outlet in self.outlets() {
            outlet.reset();
        }
    }

    fn outlets(&self) -> Vec<Arc<Outlet>> {
        let places = lock(&self.0.places);
        let outlets = places.objects.values().filter_map(|place| {
            let (_, outlet) = place.outlet.as_ref()?;
            Some(outlet.clone())
        });
        outlets.collect()
    }
}

impl Net for Watch {
    fn outlet(&self, pad: &gst::Pad) -> Option<Arc<Outlet>> {
        let places = lock(&self.0.places);
        let (_, outlet) = places
            .objects
            .get(&key(pad.upcast_ref()))?
            .outlet
            .as_ref()?;
        Some(outlet.clone())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Watched {
    fn close(&self) {
        let objects = {
            let mut places = lock(&self.places);
            places.closed = true;
            std::mem::take(&mut places.objects)
        };
        objects.into_values().for_each(Place::release);
    }

    fn add_element(self: &Arc<Self>, element: &gst::Element) {
        let (added, removed) = (Arc::downgrade(self), Arc::downgrade(self));
        let handlers = vec![
            element.connect_pad_added(move |_, pad| {
                with(&added, |watched| watched.add_pad(pad));
            }),
            element.connect_pad_removed(move |_, pad| {
                with(&removed, |watched| watched.remove(pad.upcast_ref()));
            }),
        ];
        self.keep(element.upcast_ref(), handlers, None);
        for pad in element.pads() {
            self.add_pad(&pad);
        }
        // A bin brings its own along.
        if let Some(bin) = element.downcast_ref::<gst::Bin>() {
            for element in all(bin) {
                self.add_element(&element);
            }
        }
    }

    fn remove_element(&self, element: &gst::Element) {
        for pad in element.pads() {
            self.remove(pad.upcast_ref());
        }
        self.remove(element.upcast_ref());
        if let Some(bin) = element.downcast_ref::<gst::Bin>() {
            for element in all(bin) {
                self.remove_element(&element);
            }
        }
    }

    fn add_pad(&self, pad: &gst::Pad) {
        let handlers = vec![
            pad.connect_linked(|_, _| on_link()),
            pad.connect_unlinked(|_, _| on_link()),
        ];
        let pushes = pad.direction() == gst::PadDirection::Src && !pad.is::<gst::ProxyPad>();
        let outlet = pushes.then(|| Arc::new(Outlet::new(pad, self.observer)));
        let outlet = outlet.and_then(|outlet| Some((probe::attach(pad, outlet.clone())?, outlet)));
        self.keep(pad.upcast_ref(), handlers, outlet);
    }

    /// Remembers what to take off `object`, or takes it off again where it is known already or nothing is looked at.
    fn keep(
        &self,
        object: &gst::Object,
        handlers: Vec<glib::SignalHandlerId>,
        outlet: Option<(gst::PadProbeId, Arc<Outlet>)>,
    ) {
        let place = Place {
            object: object.downgrade(),
            handlers,
            outlet,
        };
        let superfluous = {
            let mut places = lock(&self.places);
            let known = places.objects.get(&key(object));
            let known = known.is_some_and(|place| place.object.upgrade().as_ref() == Some(object));
            if places.closed || known {
                Some(place)
            } else {
                places.objects.insert(key(object), place)
            }
        };
        if let Some(place) = superfluous {
            place.release();
        }
    }

    fn remove(&self, object: &gst::Object) {
        let place = lock(&self.places).objects.remove(&key(object));
        if let Some(place) = place {
            place.release();
        }
        links_changed();
    }
}

impl Place {
    fn release(self) {
        let Some(object) = self.object.upgrade() else {
            return;
        };
        for handler in self.handlers {
            object.disconnect(handler);
        }
        if let (Some(pad), Some((probe, _))) = (object.downcast_ref::<gst::Pad>(), self.outlet) {
            pad.remove_probe(probe);
        }
    }
}

fn on_link() {
    guard("a link of latencytracer", (), links_changed);
}

fn key(object: &gst::Object) -> usize {
    object.as_ptr() as usize
}

/// Runs `action` in a signal handler, as long as anything is looked at.
fn with(watched: &Weak<Watched>, action: impl FnOnce(&Arc<Watched>)) {
    guard("a change of the pipeline of latencytracer", (), || {
        if let Some(watched) = watched.upgrade() {
            action(&watched);
        }
    });
}

/// The elements right in `bin`.
fn all(bin: &gst::Bin) -> Vec<gst::Element> {
    bin.children().into_iter().collect()
}
