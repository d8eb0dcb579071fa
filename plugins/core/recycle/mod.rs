//! Buffer recycling: what to answer when upstream asks for a pool, the books on what the pools did, and the free blocks
//! of memory that all pools of a process share.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod depot;
mod ledger;
mod size_class;
mod sizing;
mod stock;

pub use depot::{Depot, Tally};
pub use ledger::{Demand, Ledger};
pub use size_class::SizeClass;
pub use sizing::{
    Answer, Config, ConfigError, Decision, Downstream, Limits, Reason, Request, Sizing,
};
pub use stock::Stock;
