//! The bottleneck for a connection: it takes only so much a second, and the sender has to wait.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Carried, LOOK, Path, Shared, now, sleep_until};

/// What an Ethernet carries in a segment. Over the loopback's 64 kB the kernel would hold megabytes for the sender.
const SEGMENT: libc::c_int = 1_448;
/// What waits at the receiving end.
const WINDOW: libc::c_int = 16_384;

/// How late a thread may wake up.
const LATE: Duration = Duration::from_millis(20);

/// Carries one connection after another to one port, and the answers back.
pub struct TcpShaper {
    port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl TcpShaper {
    /// To `port` of this machine.
    pub fn to(port: u16, path: Path) -> Self {
        Self::with(port, path, true)
    }

    /// From `port` of this machine to whoever connects to this one.
    pub fn from(port: u16, path: Path) -> Self {
        Self::with(port, path, false)
    }

    fn with(port: u16, path: Path, there: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        set(&listener, libc::IPPROTO_TCP, libc::TCP_MAXSEG, SEGMENT);
        set(&listener, libc::SOL_SOCKET, libc::SO_RCVBUF, WINDOW);
        listener.set_nonblocking(true).unwrap();
        let own = listener.local_addr().unwrap().port();
        let shared = Shared::new(path.kbps);
        let of_thread = shared.clone();
        let thread = thread::spawn(move || accept(&listener, port, there, &of_thread));
        Self {
            port: own,
            shared,
            thread: Some(thread),
        }
    }

    /// Connect here.
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

impl Drop for TcpShaper {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the standard library cannot set.
fn set(socket: &impl AsRawFd, level: libc::c_int, option: libc::c_int, value: libc::c_int) {
    let size = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the descriptor is open, and the value is an int of that size.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size,
        )
    };
    assert_eq!(done, 0, "socket option {option}");
}

/// A connection to `port` that holds no more than one over Ethernet.
fn connect(port: u16) -> TcpStream {
    // SAFETY: the descriptor is new, and nobody else's.
    let stream = unsafe {
        let descriptor = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        assert!(descriptor >= 0);
        TcpStream::from_raw_fd(descriptor)
    };
    set(&stream, libc::IPPROTO_TCP, libc::TCP_MAXSEG, SEGMENT);
    set(&stream, libc::SOL_SOCKET, libc::SO_RCVBUF, WINDOW);
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from(Ipv4Addr::LOCALHOST).to_be(),
        },
        sin_zero: [0; 8],
    };
    let size = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the descriptor is open, and the address of that size.
    let done = unsafe { libc::connect(stream.as_raw_fd(), (&raw const address).cast(), size) };
    assert_eq!(done, 0, "nobody listens on {port}");
    stream
}

fn accept(listener: &TcpListener, port: u16, there: bool, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    while !shared.ended() {
        let Ok((client, _)) = listener.accept() else {
            sleep_until(now() + LOOK);
            continue;
        };
        let server = connect(port);
        for stream in [&client, &server] {
            stream.set_nonblocking(false).unwrap();
            stream.set_read_timeout(Some(LOOK)).unwrap();
        }
        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let (of_there, of_home) = (shared.clone(), shared.clone());
        threads.push(thread::spawn(move || carry(from, to, &of_there, there)));
        threads.push(thread::spawn(move || {
            carry(server, client, &of_home, !there);
        }));
    }
    for thread in threads {
        let _ = thread.join();
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, shared: &Shared, shaped: bool) {
    let mut data = [0; SEGMENT as usize];
    let mut free_at = now();
    while !shared.ended() {
        let size = match from.read(&mut data) {
            Ok(0) => break,
            Ok(size) => size,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            Err(_) => break,
        };
        if shaped {
            // A thread that wakes up late makes up for it.
            free_at = free_at.max(now() - LATE) + shared.time_on_the_wire(size);
            sleep_until(free_at);
            shared
                .carried_bytes
                .fetch_add(size as u64, Ordering::Relaxed);
        }
        if to.write_all(&data[..size]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
