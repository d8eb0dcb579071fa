//! A capture time inside an H.264 or H.265 stream.
//!
//! The time lies in a message `user_data_unregistered` of supplemental enhancement information (ITU-T H.264 and H.265,
//! annex D), which decoders skip and muxers carry. 25 bytes: an identifier of 16, a version, and the nanoseconds since
//! 1900 in 8, the most significant first. It stands in front of the first slice of a picture.

mod scan;
#[cfg(test)]
mod tests;
mod unit;

use scan::{Kind, Units};
pub use unit::{Unit, unit};

/// Which standard the stream follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// ITU-T H.264, AVC.
    H264,
    /// ITU-T H.265, HEVC.
    H265,
}

/// How units are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By start codes (annex B), as in transport streams.
    StartCodes,
    /// By a length of this many bytes (1 to 4) in front of each, as in MP4, Matroska and FLV.
    Lengths(u8),
}

/// How a stream is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Its standard.
    pub codec: Codec,
    /// Its framing.
    pub framing: Framing,
}

impl Format {
    /// A stream with start codes.
    pub const fn with_start_codes(codec: Codec) -> Self {
        Self {
            codec,
            framing: Framing::StartCodes,
        }
    }

    /// A stream with lengths, whose decoder configuration `record` (ISO/IEC 14496-15) says how long these are. `None`
    /// where the record is too short or allows none.
    pub fn with_lengths(codec: Codec, record: &[u8]) -> Option<Self> {
        // AVCDecoderConfigurationRecord, HEVCDecoderConfigurationRecord: lengthSizeMinusOne in the last two bits.
        let place = match codec {
            Codec::H264 => 4,
            Codec::H265 => 21,
        };
        let size = (record.get(place)? & 3) + 1;
        (size != 3).then_some(Self {
            codec,
            framing: Framing::Lengths(size),
        })
    }
}

/// Where in `data`, the beginning of a picture or a part of it, the time belongs: in front of its first slice. `None`
/// where no picture begins or where one is there already.
pub fn slot(format: Format, data: &[u8]) -> Option<usize> {
    let mut prefix = None;
    for unit in Units::new(format, data) {
        match unit.kind(format.codec) {
            Kind::FirstSlice => return Some(prefix.unwrap_or(unit.start)),
            Kind::LaterSlice => return None,
            // It belongs to the slice behind it.
            Kind::Prefix => prefix = Some(unit.start),
            Kind::Enhancement if unit::read(format.codec, unit.bytes).is_some() => return None,
            Kind::Enhancement | Kind::Other => prefix = None,
        }
    }
    None
}

/// The time in `data`, the beginning of a picture, in nanoseconds since 1900. Looks no further than to the first slice.
pub fn read(format: Format, data: &[u8]) -> Option<u64> {
    for unit in Units::new(format, data) {
        match unit.kind(format.codec) {
            Kind::FirstSlice | Kind::LaterSlice => return None,
            Kind::Enhancement => {
                let time = unit::read(format.codec, unit.bytes);
                if time.is_some() {
                    return time;
                }
            }
            Kind::Prefix | Kind::Other => (),
        }
    }
    None
}
