//! RTP packets that pass a pad.

use gst::prelude::*;

use crate::record::{Log, What};

/// Notes every RTP packet that passes `pad`.
pub fn watch(pad: &gst::Pad, log: &Log) {
    let log = log.clone();
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    pad.add_probe(kinds, move |_, info| {
        if let Some(list) = info.buffer_list() {
            list.iter().for_each(|buffer| note(buffer, &log));
        }
        if let Some(buffer) = info.buffer() {
            note(buffer, &log);
        }
        gst::PadProbeReturn::Ok
    });
}

fn note(buffer: &gst::BufferRef, log: &Log) {
    // RFC 3550, 5.1: the sequence number is in bytes 2 and 3.
    let mut header = [0; 4];
    if buffer.copy_to_slice(0, &mut header).is_ok() {
        log.note(What::Packet {
            sequence: u16::from_be_bytes([header[2], header[3]]),
            bytes: buffer.size() as u32,
        });
    }
}
