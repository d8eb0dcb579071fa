//! Every element of a pipeline measured at its pads: what the element with `scope=pipeline` and the tracer share.
//!
//! When a buffer leaves a source pad it leaves one element and comes to the next. So one look at each push does for
//! both: the `Outlet` of the pad that pushes measures the element behind it, and tells the `Inlet` of the pad
//! that takes the buffer when the frame came there. What a path is, from which source to which sink, is found out by
//! walking the pads when somebody wants a report, never while buffers flow.

mod inlet;
mod numbered;
mod origin;
mod outlet;
mod paths;
mod probe;
mod route;
mod stages;
mod station;
mod survey;
mod topology;
mod watch;

pub(super) use outlet::Outlet;
pub(super) use paths::Net;
pub(super) use route::links_changed;
pub(super) use survey::{Intervals, Survey};
pub(super) use topology::top;
pub(super) use watch::Watch;
