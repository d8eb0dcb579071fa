//! Buffer recycling: what to answer when upstream asks for a pool, when to copy, when to shrink, what to advise, the books
//! on what the pools did, and the free blocks of memory that all pools of a process share.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advice;
mod copy_out;
mod demand;
mod depot;
mod ledger;
mod loans;
mod role;
mod room;
mod size_class;
mod sizing;
mod stock;

pub use advice::{Advice, Sight};
pub use copy_out::{CopyOut, CopyPolicy, Supply};
pub use demand::Demand;
pub use depot::{Depot, Tally};
pub use ledger::{Cause, Counts, Ledger, Origin};
pub use loans::{Loans, Overdue};
pub use role::{Needs, Role};
pub use room::{NoRoom, Room};
pub use size_class::SizeClass;
pub use sizing::{
    Answer, Config, ConfigError, Decision, Downstream, Limits, Reason, Request, Sizing,
};
pub use stock::Stock;
