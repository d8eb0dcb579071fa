//! `qualityswitch`: what comes out at each level, when the level changes, and what else passes.

mod encoder;
mod ladder;
mod levels;
mod lifecycle;
mod live;
mod network;
mod rig;
mod scalers;
mod sensors;
mod settings;
mod simulcast;
mod stream;
