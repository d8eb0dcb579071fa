//! A relay of UDP packets that holds each of them for the delay of the path, there and back.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;

use crate::clock;
use crate::namespaces::RECEIVER_ADDRESS;

/// Larger than any packet on Ethernet.
const PACKET: usize = 2_048;

type Held = (u64, Vec<u8>);

/// Relays between whoever sends to `outer` and the port `inner` of this machine.
pub fn start(outer: u16, inner: u16, delay_ms: u32) {
    let outer = Arc::new(UdpSocket::bind((RECEIVER_ADDRESS, outer)).unwrap());
    let near = Arc::new(UdpSocket::bind(("127.0.0.1", 0)).unwrap());
    near.connect(("127.0.0.1", inner)).unwrap();
    let far = Arc::new(OnceLock::new());
    let delay = u64::from(delay_ms) * 1_000_000;

    let (there, held) = channel();
    let (from, source) = (outer.clone(), far.clone());
    thread::spawn(move || {
        take(&from, delay, &there, |address| {
            let _ = source.set(address);
        });
    });
    let to = near.clone();
    thread::spawn(move || release(&held, |packet| drop(to.send(packet))));

    let (back, held) = channel();
    thread::spawn(move || take(&near, delay, &back, drop));
    thread::spawn(move || {
        release(&held, |packet| {
            if let Some(far) = far.get() {
                let _ = outer.send_to(packet, far);
            }
        });
    });
}

/// Takes packets in, and says where each came from.
fn take(socket: &UdpSocket, delay: u64, held: &Sender<Held>, mut seen: impl FnMut(SocketAddr)) {
    let mut packet = [0; PACKET];
    loop {
        // Refused is said where nobody listens yet; the next packet may be taken.
        let Ok((size, address)) = socket.recv_from(&mut packet) else {
            continue;
        };
        seen(address);
        if held
            .send((clock::now() + delay, packet[..size].to_vec()))
            .is_err()
        {
            return;
        }
    }
}

fn release(held: &Receiver<Held>, send: impl Fn(&[u8])) {
    for (due, packet) in held {
        clock::wait_until(due);
        send(&packet);
    }
}
