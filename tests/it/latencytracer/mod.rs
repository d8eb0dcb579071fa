//! latencytracer: what it measures, what it reports, what it leaves alone.

mod element;
