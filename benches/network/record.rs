//! What sender and receiver note while they run, and tell at the end.
#![expect(
    clippy::disallowed_methods,
    reason = "the plugin's own lock is not for programs"
)]

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock;

/// One thing that happened, and when (ns).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    pub at: u64,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// An RTP packet left, or came.
    Packet { sequence: u16, bytes: u32 },
    /// The controller's target, bit/s.
    Target(u32),
    /// How old media is where it enters the sink, ms.
    Age(f64),
    /// Bytes of the TCP flow came.
    Tcp(u32),
    /// A packet of media came out of the transport.
    Media(u32),
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at;
        match self.what {
            What::Packet { sequence, bytes } => write!(f, "packet {at} {sequence} {bytes}"),
            What::Target(bps) => write!(f, "target {at} {bps}"),
            What::Age(ms) => write!(f, "age {at} {ms}"),
            What::Tcp(bytes) => write!(f, "tcp {at} {bytes}"),
            What::Media(bytes) => write!(f, "media {at} {bytes}"),
        }
    }
}

impl FromStr for Record {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or(());
        let kind = word()?;
        let at = number(word()?)?;
        let what = match kind {
            "packet" => What::Packet {
                sequence: number(word()?)?,
                bytes: number(word()?)?,
            },
            "target" => What::Target(number(word()?)?),
            "age" => What::Age(number(word()?)?),
            "tcp" => What::Tcp(number(word()?)?),
            "media" => What::Media(number(word()?)?),
            _ => return Err(()),
        };
        Ok(Self { at, what })
    }
}

fn number<T: FromStr>(word: &str) -> Result<T, ()> {
    word.parse().map_err(drop)
}

/// What is noted, from any thread.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Record>>>);

impl Log {
    pub fn note(&self, what: What) {
        let at = clock::now();
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(Record { at, what });
    }

    pub fn take(&self) -> Vec<Record> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut records)
    }
}
