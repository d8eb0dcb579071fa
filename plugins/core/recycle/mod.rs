//! Buffer recycling: what to answer when upstream asks for a pool, when to copy, when to shrink, what to advise, and the
//! books on what the pools did.

mod advice;
mod copy_out;
mod demand;
mod ledger;
mod loans;
mod role;
mod room;
mod sizing;

pub use advice::{Advice, Sight};
pub use copy_out::{CopyOut, CopyPolicy};
pub use demand::Demand;
pub use ledger::{Cause, Counts, Ledger, Origin};
pub use loans::{Loans, Overdue};
pub use role::{Needs, Role};
pub use room::{NoRoom, Room};
pub use sizing::{
    Answer, Config, ConfigError, Decision, Downstream, Limits, Reason, Request, Sizing,
};
