//! Buffer recycling: what to answer when upstream asks for a pool, and the books on what the pools did.

mod ledger;
mod sizing;

pub use ledger::{Demand, Ledger};
pub use sizing::{
    Answer, Config, ConfigError, Decision, Downstream, Limits, Reason, Request, Sizing,
};
