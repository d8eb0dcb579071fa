//! One TCP flow that sends as much as it can.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::clock;
use crate::namespaces::RECEIVER_ADDRESS;
use crate::record::{Log, What};

const PORT: u16 = 5_010;
/// What came is noted that often.
const NOTE_INTERVAL: u64 = 100_000_000;

/// Sends until the other side hangs up.
pub fn send() {
    thread::spawn(|| {
        let mut flow = TcpStream::connect((RECEIVER_ADDRESS, PORT)).unwrap();
        while flow.write_all(&[0; 16_384]).is_ok() {}
    });
}

/// Waits for a flow and takes it until it is to stop.
pub struct Taker(Arc<AtomicBool>);

impl Taker {
    pub fn new(log: Log) -> Self {
        let listener = TcpListener::bind((RECEIVER_ADDRESS, PORT)).unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = stopped.clone();
        thread::spawn(move || {
            let (flow, _) = listener.accept().unwrap();
            take(flow, &log, &stop);
        });
        Self(stopped)
    }

    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn take(mut flow: TcpStream, log: &Log, stop: &AtomicBool) {
    let mut buffer = [0; 16_384];
    let (mut bytes, mut next) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let Ok(count @ 1..) = flow.read(&mut buffer) else {
            break;
        };
        bytes += count as u32;
        if clock::now() >= next {
            next = clock::now() + NOTE_INTERVAL;
            log.note(What::Tcp(std::mem::take(&mut bytes)));
        }
    }
}
