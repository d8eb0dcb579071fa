//! Every transport against a real receiver, over a bottleneck on the loopback: the rate comes down to what it carries.

mod life;
mod pressure;
mod rist;
mod rtp;
mod search;
mod srt;
mod webrtc;

use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

use gst::prelude::*;

use crate::support::pipeline::{LIMIT, stats};
use crate::support::shaper::Carried;
use crate::support::wait::eventually;

/// An encoder that needs all the bits it is given, between 100 and 4000 kbit/s.
fn encoder(start_kbps: u32) -> String {
    format!(
        "videotestsrc is-live=true pattern=snow ! video/x-raw,width=320,height=240,framerate=30/1 ! \
         x264enc name=enc tune=zerolatency speed-preset=ultrafast vbv-buf-capacity=150 key-int-max=300 \
         bitrate={start_kbps} ! video/x-h264,profile=constrained-baseline ! \
         adaptivebitrate name=abr max-bitrate=4000000"
    )
}

/// A port that was free a moment ago.
fn udp_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// A port that was free a moment ago.
fn tcp_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn target_kbps(abr: &gst::Element) -> u32 {
    abr.property::<u32>("target-bitrate") / 1000
}

/// How long a target may look for its place: how fast it finds it is the bench's to say.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the mean target of two seconds lies in `kbps`, and no target is far from it.
fn settles(abr: &gst::Element, kbps: std::ops::RangeInclusive<u32>) {
    const LOOKS: usize = 40;
    let what = format!("a mean target of {kbps:?} kbit/s");
    let mut seen = Vec::new();
    let (mut next, pause) = (0, 10);
    eventually(&what, PATIENCE, || {
        next += 1;
        if next % pause == 0 {
            seen.push(target_kbps(abr));
        }
        let last = seen.len().checked_sub(LOOKS).map(|from| &seen[from..]);
        last.is_some_and(|last| {
            let mean = last.iter().sum::<u32>() / LOOKS as u32;
            let near = kbps.start() / 2..=kbps.end() * 3 / 2;
            kbps.contains(&mean) && last.iter().all(|kbps| near.contains(kbps))
        })
    });
}

fn feedback(abr: &gst::Element) -> String {
    stats(abr).get("feedback").unwrap()
}

/// What went through in the next `seconds`.
fn carried_in(seconds: u64, carried: impl Fn() -> Carried) -> Carried {
    let before = carried();
    let mut looks = 0;
    eventually("the end of the measurement", LIMIT, || {
        looks += 1;
        looks > seconds * 200
    });
    let after = carried();
    Carried {
        bytes: after.bytes - before.bytes,
        packets: after.packets - before.packets,
        dropped: after.dropped - before.dropped,
    }
}
