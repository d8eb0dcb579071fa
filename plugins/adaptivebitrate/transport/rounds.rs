//! A thread that looks round at regular times: for transports that have to be asked, and sinks that let nothing pass.

use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::runtime::guard;

/// An SRT round trip follows a queue within 80 ms; OBS looks for 200 ms of backlog.
const INTERVAL: Duration = Duration::from_millis(50);

/// The thread ends soon after this is dropped. Nobody waits for it: it may stand before a lock that a sink holds.
#[derive(Debug)]
pub(in super::super) struct Rounds {
    _stop: Sender<()>,
}

impl Rounds {
    /// Calls `look` at regular times until it breaks, or this is dropped.
    pub(in super::super) fn start(
        look: impl Fn() -> ControlFlow<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let name = "adaptivebitrate".to_owned();
        thread::Builder::new().name(name).spawn(move || {
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let fallback = ControlFlow::Break(());
                if guard::guard("adaptivebitrate's rounds", fallback, &look).is_break() {
                    break;
                }
            }
        })?;
        Ok(Self { _stop: stop })
    }
}
