//! What became of one packet.

use crate::time::MediaTime;
use crate::units::ByteCount;

/// What a receiver's feedback says of one packet (RTP: transport-wide congestion control,
/// draft-holmer-rmcat-transport-wide-cc-extensions-01). Feedback is its sender's word: whatever it says does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketResult {
    /// The packet's number, unwrapped: one more for each packet sent.
    pub sequence: u64,
    /// When it left, on the clock that the controller is told as `now`.
    pub departed: MediaTime,
    /// When it arrived, on the receiver's clock, wherever that began; `None` where it did not.
    pub arrived: Option<MediaTime>,
    /// What it is on the wire, with all headers.
    pub size: ByteCount,
}
