//! The units of a stream, one after the other.

use super::{Codec, Format, Framing};

/// What matters of a unit's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A slice that begins a picture.
    FirstSlice,
    /// A slice that does not.
    LaterSlice,
    /// What must stand right before the slice that it belongs to.
    Prefix,
    /// Supplemental enhancement information in front of a picture.
    Enhancement,
    /// Parameter sets, delimiters and the like.
    Other,
}

/// A unit within its data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    /// Where its start code or length begins.
    pub(super) start: usize,
    /// Header and payload; cut where the data are.
    pub(super) bytes: &'a [u8],
}

impl Found<'_> {
    pub(super) fn kind(&self, codec: Codec) -> Kind {
        match codec {
            Codec::H264 => self.kind_of_h264(),
            Codec::H265 => self.kind_of_h265(),
        }
    }

    /// Table 7-1 of H.264. `first_mb_in_slice` is zero, a single bit 1, in a picture's first slice.
    fn kind_of_h264(&self) -> Kind {
        match self.byte(0) & 0x1f {
            1..=5 => self.slice(1),
            14 => Kind::Prefix,
            6 => Kind::Enhancement,
            _ => Kind::Other,
        }
    }

    /// Table 7-1 of H.265. `first_slice_segment_in_pic_flag` is the first bit of a slice.
    fn kind_of_h265(&self) -> Kind {
        match (self.byte(0) >> 1) & 0x3f {
            0..=31 => self.slice(2),
            39 => Kind::Enhancement,
            _ => Kind::Other,
        }
    }

    fn slice(&self, header: usize) -> Kind {
        if self.byte(header) & 0x80 == 0 {
            Kind::LaterSlice
        } else {
            Kind::FirstSlice
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }
}

/// Walks over units. Ends at the first that makes no sense.
pub(super) struct Units<'a> {
    framing: Framing,
    data: &'a [u8],
    at: usize,
}

impl<'a> Units<'a> {
    pub(super) fn new(format: Format, data: &'a [u8]) -> Self {
        Self {
            framing: format.framing,
            data,
            at: 0,
        }
    }

    fn next_by_start_code(&mut self) -> Option<Found<'a>> {
        let code = start_code(self.data, self.at)?;
        let begin = code + 3;
        let end = start_code(self.data, begin).unwrap_or(self.data.len());
        let bytes = self.data.get(begin..end)?;
        self.at = end;
        // A start code may have one more zero in front: four bytes then.
        let longer = code > 0 && self.data.get(code - 1) == Some(&0);
        Some(Found {
            start: code - usize::from(longer),
            bytes,
        })
    }

    fn next_by_length(&mut self, size: usize) -> Option<Found<'a>> {
        let start = self.at;
        let begin = start.checked_add(size)?;
        let length = self.data.get(start..begin)?;
        let length = length
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let end = begin.checked_add(length)?;
        let bytes = self.data.get(begin..end.min(self.data.len()))?;
        self.at = end;
        Some(Found { start, bytes })
    }
}

impl<'a> Iterator for Units<'a> {
    type Item = Found<'a>;

    fn next(&mut self) -> Option<Found<'a>> {
        let found = match self.framing {
            Framing::StartCodes => self.next_by_start_code(),
            Framing::Lengths(size) => self.next_by_length(size.into()),
        };
        found.filter(|unit| !unit.bytes.is_empty())
    }
}

/// Where the next three bytes 0, 0, 1 are, from `from` on.
fn start_code(data: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some([first, second, third]) = data.get(at..at + 3) {
        match (first, second, third) {
            (0, 0, 1) => return Some(at),
            (_, _, 2..) => at += 3,
            _ => at += 1,
        }
    }
    None
}
