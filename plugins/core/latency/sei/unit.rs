//! The unit that holds the time: written and read.

use super::{Codec, Format, Framing};

/// Says that the message is ours: a random identifier (RFC 4122, version 4).
const IDENTIFIER: [u8; 16] = [
    0x6c, 0x9d, 0x3a, 0xf1, 0x52, 0xe8, 0x4b, 0x77, 0xa6, 0x1d, 0xc4, 0x8e, 0x95, 0x2f, 0xb3, 0x5a,
];
const VERSION: u8 = 1;
const USER_DATA_UNREGISTERED: u8 = 5;
const MESSAGE: usize = IDENTIFIER.len() + 1 + 8;
/// Ends the payload of a unit: a bit 1, and zeros up to the byte.
const STOP: u8 = 0x80;
/// More than a length or start code, header, message and every byte that may have to be put in between.
const ROOM: usize = 64;

/// A unit with a time, ready to be put in front of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    bytes: [u8; ROOM],
    length: usize,
}

impl Unit {
    const EMPTY: Self = Self {
        bytes: [0; ROOM],
        length: 0,
    };

    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// Appends a byte of payload, with a 3 in front where three bytes would look like a start code.
    fn push_payload(&mut self, byte: u8) {
        let zeros = self.as_ref().ends_with(&[0, 0]);
        if zeros && byte <= 3 {
            self.push(3);
        }
        self.push(byte);
    }
}

impl AsRef<[u8]> for Unit {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The unit that says `time`, in nanoseconds since 1900.
pub fn unit(format: Format, time: u64) -> Unit {
    let mut unit = Unit::EMPTY;
    let prefix: &[u8] = match format.framing {
        Framing::StartCodes => &[0, 0, 0, 1],
        Framing::Lengths(size) => &[0; 4][..usize::from(size.clamp(1, 4))],
    };
    prefix.iter().for_each(|byte| unit.push(*byte));
    header(format.codec)
        .iter()
        .for_each(|byte| unit.push(*byte));
    let message = [USER_DATA_UNREGISTERED, MESSAGE as u8].into_iter();
    let message = message.chain(IDENTIFIER).chain([VERSION]);
    for byte in message.chain(time.to_be_bytes()).chain([STOP]) {
        unit.push_payload(byte);
    }
    if matches!(format.framing, Framing::Lengths(_)) {
        // Less than 64: it fits in the last byte, the others stay zero.
        unit.bytes[prefix.len() - 1] = (unit.length - prefix.len()) as u8;
    }
    unit
}

/// Of a unit of supplemental enhancement information in front of a picture.
fn header(codec: Codec) -> &'static [u8] {
    match codec {
        Codec::H264 => &[6],
        Codec::H265 => &[39 << 1, 1],
    }
}

/// The time in the unit `bytes`, where one of its messages is ours.
pub(super) fn read(codec: Codec, bytes: &[u8]) -> Option<u64> {
    let mut payload = Payload {
        bytes: bytes.get(header(codec).len()..)?,
        zeros: 0,
    };
    loop {
        let kind = number(&mut payload)?;
        let size = number(&mut payload)?;
        if kind == USER_DATA_UNREGISTERED.into() && size >= MESSAGE {
            let mut message = [0; MESSAGE];
            for byte in &mut message {
                *byte = payload.next()?;
            }
            let (identifier, rest) = message.split_at(IDENTIFIER.len());
            if identifier == IDENTIFIER && rest[0] == VERSION {
                return rest[1..].try_into().ok().map(u64::from_be_bytes);
            }
            skip(&mut payload, size - MESSAGE)?;
        } else {
            skip(&mut payload, size)?;
        }
    }
}

/// A number of a message's head: bytes of 255 and one below, summed up.
fn number(payload: &mut Payload<'_>) -> Option<usize> {
    let mut sum = 0;
    loop {
        let byte = payload.next()?;
        sum += usize::from(byte);
        if byte < u8::MAX {
            return Some(sum);
        }
    }
}

fn skip(payload: &mut Payload<'_>, bytes: usize) -> Option<()> {
    match bytes.checked_sub(1) {
        Some(last) => payload.nth(last).map(|_| ()),
        None => Some(()),
    }
}

/// The bytes of a unit without those that keep start codes out of it.
struct Payload<'a> {
    bytes: &'a [u8],
    zeros: u8,
}

impl Iterator for Payload<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (mut byte, mut rest) = self.bytes.split_first()?;
        if self.zeros >= 2 && *byte == 3 {
            self.zeros = 0;
            (byte, rest) = rest.split_first()?;
        }
        self.zeros = if *byte == 0 { self.zeros + 1 } else { 0 };
        self.zeros = self.zeros.min(2);
        self.bytes = rest;
        Some(*byte)
    }
}
