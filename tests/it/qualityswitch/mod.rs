//! `qualityswitch`: what comes out at each level, when the level changes, and what else passes.

mod levels;
mod lifecycle;
mod network;
mod rig;
mod settings;
mod stream;
