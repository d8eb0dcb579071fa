//! The capture time inside the stream: H.264 and H.265 buffers, in and out.
//!
//! A frame is not copied: its buffer's memories are shared by a new buffer that holds one more, in front of the first
//! slice. Whoever maps the new buffer whole (most parsers and muxers do) makes GStreamer join the memories.

use livetune_core::latency::sei::{self, Codec, Format};

/// Bytes of a frame that are looked at: parameter sets and the like in front of the first slice take some hundred.
const FRONT: usize = 16 * 1024;

/// How buffers with these `caps` are to be read; `None` where they hold something else.
pub(super) fn format(caps: &gst::CapsRef) -> Option<Format> {
    let structure = caps.structure(0)?;
    let codec = match structure.name().as_str() {
        "video/x-h264" => Codec::H264,
        "video/x-h265" => Codec::H265,
        _ => return None,
    };
    let record = structure.get::<gst::Buffer>("codec_data").ok();
    match (structure.get::<&str>("stream-format"), record) {
        (Ok("byte-stream"), _) | (Err(_), None) => Some(Format::with_start_codes(codec)),
        (_, Some(record)) => Format::with_lengths(codec, &record.map_readable().ok()?),
        (Ok(_), None) => None,
    }
}

/// The time in `buffer`.
pub(super) fn read(buffer: &gst::BufferRef, format: Format) -> Option<gst::ClockTime> {
    let time = with_front(buffer, |data| sei::read(format, data))?;
    // A zero is no time, and the highest number says that there is none.
    let known = (1..u64::MAX).contains(&time);
    known.then(|| gst::ClockTime::from_nseconds(time))
}

/// A place for the time in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    format: Format,
    at: usize,
}

impl Slot {
    /// In `buffer`, where a picture begins that holds no time yet.
    pub(super) fn find(buffer: &gst::BufferRef, format: Format) -> Option<Self> {
        let at = with_front(buffer, |data| sei::slot(format, data))?;
        Some(Self { format, at })
    }

    /// `buffer`, in which this was found, with `time` in front of its first slice.
    pub(super) fn fill(self, buffer: gst::Buffer, time: gst::ClockTime) -> gst::Buffer {
        let unit = sei::unit(self.format, time.nseconds());
        let unit = gst::Memory::from_slice(unit);
        with_memory(&buffer, self.at, unit).unwrap_or(buffer)
    }
}

fn with_memory(buffer: &gst::BufferRef, at: usize, memory: gst::Memory) -> Option<gst::Buffer> {
    let mut whole = gst::Buffer::new();
    let target = whole.get_mut()?;
    let rest =
        gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS | gst::BufferCopyFlags::META;
    buffer.copy_into(target, rest, ..).ok()?;
    let memories = gst::BufferCopyFlags::MEMORY;
    if at > 0 {
        buffer.copy_into(target, memories, ..at).ok()?;
    }
    target.append_memory(memory);
    buffer.copy_into(target, memories, at..).ok()?;
    Some(whole)
}

/// Shows `look` the first bytes of `buffer`, without joining its memories.
fn with_front<T>(buffer: &gst::BufferRef, look: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
    if buffer.n_memory() == 1 {
        let map = buffer.peek_memory(0).map_readable().ok()?;
        return look(&map[..map.len().min(FRONT)]);
    }
    let mut front = [0; FRONT];
    let size = buffer.size().min(FRONT);
    buffer.copy_to_slice(0, &mut front[..size]).ok()?;
    look(&front[..size])
}

#[cfg(test)]
mod tests {
    use super::*;
    use livetune_core::latency::sei::Framing;

    const NOW: gst::ClockTime = gst::ClockTime::from_nseconds(3_990_000_000_123_456_789);

    fn caps(text: &str) -> gst::Caps {
        gst::init().expect("GStreamer starts");
        text.parse().expect("caps")
    }

    #[test]
    fn the_framing_is_in_the_caps() {
        let framing = |text| format(&caps(text)).map(|format| format.framing);
        let codes = Some(Framing::StartCodes);
        assert_eq!(
            framing("video/x-h265,stream-format=byte-stream,alignment=au"),
            codes
        );
        assert_eq!(framing("video/x-h264"), codes);
        let avc = "video/x-h264,stream-format=avc,codec_data=(buffer)014d001fffe1";
        assert_eq!(framing(avc), Some(Framing::Lengths(4)));
        assert_eq!(framing("video/x-h264,stream-format=avc"), None);
        assert_eq!(framing("video/x-raw"), None);
    }

    #[test]
    fn the_time_comes_in_between_and_nothing_else_changes() {
        let format = format(&caps("video/x-h264,stream-format=byte-stream")).expect("H.264");
        let bytes = [0, 0, 0, 1, 0x68, 1, 0, 0, 0, 1, 0x65, 0x88, 7, 7, 7];
        let mut buffer = gst::Buffer::from_slice(bytes);
        let writable = buffer.get_mut().expect("a new buffer");
        writable.set_pts(gst::ClockTime::SECOND);
        writable.set_flags(gst::BufferFlags::DELTA_UNIT);
        let memory = buffer
            .peek_memory(0)
            .map_readable()
            .expect("bytes")
            .as_ptr();
        let slot = Slot::find(&buffer, format).expect("a picture begins");
        let whole = slot.fill(buffer, NOW);
        assert_eq!(read(&whole, format), Some(NOW));
        assert_eq!(Slot::find(&whole, format), None);
        assert_eq!(whole.pts(), Some(gst::ClockTime::SECOND));
        assert!(whole.flags().contains(gst::BufferFlags::DELTA_UNIT));
        assert_eq!(whole.n_memory(), 3);
        let first = whole.peek_memory(0).map_readable().expect("bytes").as_ptr();
        assert_eq!(first, memory, "shared, not copied");
        let all = whole.map_readable().expect("bytes");
        let added = all.len() - bytes.len();
        assert_eq!([&all[..6], &all[6 + added..]].concat(), bytes);
    }
}
