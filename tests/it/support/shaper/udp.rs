//! The bottleneck for datagrams: what finds no room in the queue is dropped.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::{Carried, LOOK, Path, Shared, now, sleep_until};

/// As large as a datagram can be.
const LARGEST: usize = 65_536;

type Waiting = (Instant, Vec<u8>);

/// Which way the bottleneck is.
#[derive(Clone, Copy, PartialEq)]
enum Narrow {
    There,
    Back,
}

/// Carries datagrams to one port, and the answers back to whoever sent last.
pub struct UdpShaper {
    port: u16,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl UdpShaper {
    /// To `port` of this machine.
    pub fn to(port: u16, path: Path) -> Self {
        Self::with(0, port, path, Narrow::There)
    }

    /// From port `own` to `port` of this machine.
    pub fn between(own: u16, port: u16, path: Path) -> Self {
        Self::with(own, port, path, Narrow::There)
    }

    /// From `port` of this machine to whoever sends to this one.
    pub fn from(port: u16, path: Path) -> Self {
        Self::with(0, port, path, Narrow::Back)
    }

    fn with(own: u16, port: u16, path: Path, narrow: Narrow) -> Self {
        let front = UdpSocket::bind(("127.0.0.1", own)).unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").unwrap();
        for socket in [&front, &back] {
            socket.set_read_timeout(Some(LOOK)).unwrap();
        }
        let own = front.local_addr().unwrap().port();
        let shared = Shared::new(path.kbps);
        let sender = Arc::new(Mutex::new(None));
        let (there, to_server) = channel();
        let (home, to_sender) = channel();
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let threads = vec![
            spawn({
                let (front, shared, sender) = (clone(&front), shared.clone(), sender.clone());
                let way = Way::new(path, narrow == Narrow::There);
                move || carry(&front, &shared, way, &there, |from| remember(&sender, from))
            }),
            spawn({
                let back = clone(&back);
                move || leave(&to_server, |data| back.send_to(data, server).is_ok())
            }),
            spawn({
                let (back, shared) = (clone(&back), shared.clone());
                let way = Way::new(path, narrow == Narrow::Back);
                move || carry(&back, &shared, way, &home, |_| ())
            }),
            spawn(move || {
                leave(&to_sender, |data| {
                    let to = address(&sender);
                    to.is_some_and(|to| front.send_to(data, to).is_ok())
                });
            }),
        ];
        Self {
            port: own,
            shared,
            threads,
        }
    }

    /// Send here.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn set_kbps(&self, kbps: u64) {
        self.shared.kbps.store(kbps, Ordering::Relaxed);
    }

    pub fn carried(&self) -> Carried {
        Carried::of(&self.shared)
    }
}

impl Drop for UdpShaper {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn clone(socket: &UdpSocket) -> UdpSocket {
    socket.try_clone().unwrap()
}

fn spawn(work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::Builder::new()
        .name("shaper".to_owned())
        .spawn(work)
        .unwrap()
}

#[allow(clippy::disallowed_methods, reason = "no lock of ours to poison")]
fn address(sender: &Mutex<Option<SocketAddr>>) -> Option<SocketAddr> {
    *sender.lock().unwrap()
}

#[allow(clippy::disallowed_methods, reason = "no lock of ours to poison")]
fn remember(sender: &Mutex<Option<SocketAddr>>, from: SocketAddr) {
    sender.lock().unwrap().replace(from);
}

/// One direction.
struct Way {
    path: Path,
    narrow: bool,
}

impl Way {
    fn new(path: Path, narrow: bool) -> Self {
        Self { path, narrow }
    }
}

/// What comes waits for its turn on the wire, or is dropped; the other way there is room for all.
fn carry(
    socket: &UdpSocket,
    shared: &Shared,
    way: Way,
    out: &Sender<Waiting>,
    heard_from: impl Fn(SocketAddr),
) {
    let mut data = vec![0; LARGEST];
    let mut free_at = now();
    while !shared.ended() {
        let Ok((size, from)) = socket.recv_from(&mut data) else {
            continue;
        };
        heard_from(from);
        let now = now();
        let mut at = now;
        if way.narrow {
            let start = free_at.max(now);
            shared.offered.fetch_add(1, Ordering::Relaxed);
            if start - now > way.path.queue {
                shared.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            free_at = start + shared.time_on_the_wire(size);
            at = free_at;
            shared
                .carried_bytes
                .fetch_add(size as u64, Ordering::Relaxed);
        }
        let _ = out.send((at + way.path.delay, data[..size].to_vec()));
    }
}

fn leave(waiting: &Receiver<Waiting>, send: impl Fn(&[u8]) -> bool) {
    while let Ok((at, data)) = waiting.recv() {
        sleep_until(at);
        send(&data);
    }
}
