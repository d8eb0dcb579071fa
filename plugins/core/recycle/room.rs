//! Whether the limit on memory has room for the frames that come.

use std::fmt;

/// The limit where the user sets none, in bytes.
const USUAL: u64 = 256 * 1024 * 1024;
/// Frames that the usual limit has room for, however large they are: one is read while the next is written.
const FEWEST: u64 = 2;

/// How much memory may lie ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// In bytes; 0 = 256 MiB, or two frames where that is more.
    limit: u64,
}

/// The limit is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// For one frame.
    ForFrame {
        /// The limit, in bytes.
        limit: u64,
        /// One frame, in bytes.
        frame: u64,
    },
    /// For as many frames as are to be there from the start.
    ForMinimum {
        /// The limit, in bytes.
        limit: u64,
        /// One frame, in bytes.
        frame: u64,
        /// Frames from the start.
        buffers: u32,
    },
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ForFrame { limit, frame } => write!(
                f,
                "max-pooled-bytes {limit} is less than one frame, which takes {frame} bytes: raise max-pooled-bytes to \
                 at least {frame}, or set it to 0 for a limit that fits"
            ),
            Self::ForMinimum {
                limit,
                frame,
                buffers,
            } => {
                let wanted = frame.saturating_mul(u64::from(buffers));
                write!(
                    f,
                    "max-pooled-bytes {limit} is less than the {buffers} frames of {frame} bytes that are to be there \
                     from the start: raise it to at least {wanted}, or lower min-buffers to {}",
                    limit / frame.max(1)
                )
            }
        }
    }
}

impl std::error::Error for NoRoom {}

impl Room {
    /// At most `limit` bytes; 0 = 256 MiB, or two frames where that is more.
    pub fn new(limit: u64) -> Self {
        Self { limit }
    }

    /// The limit in bytes where frames take `frame` bytes each.
    pub fn bytes(&self, frame: u64) -> u64 {
        if self.limit == 0 {
            USUAL.max(frame.saturating_mul(FEWEST))
        } else {
            self.limit
        }
    }

    /// Whether there is room for a `frame` of so many bytes, and for `buffers` of them at once. Only a limit that the
    /// user set can be too small.
    pub fn check(&self, frame: u64, buffers: u32) -> Result<(), NoRoom> {
        let limit = self.limit;
        if limit == 0 {
            return Ok(());
        }
        if limit < frame {
            return Err(NoRoom::ForFrame { limit, frame });
        }
        if limit < frame.saturating_mul(u64::from(buffers)) {
            return Err(NoRoom::ForMinimum {
                limit,
                frame,
                buffers,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_small_says_both_numbers_and_the_remedy() {
        let text = |limit, buffers| {
            let refused = Room::new(limit).check(3_110_400, buffers);
            refused.expect_err("no room").to_string()
        };
        let frame = text(1_000_000, 0);
        assert!(
            frame.contains("1000000") && frame.contains("3110400"),
            "{frame}"
        );
        let pool = text(10_000_000, 4);
        assert!(
            pool.contains("10000000") && pool.contains("4 frames of 3110400"),
            "{pool}"
        );
        assert!(
            pool.contains("at least 12441600") && pool.contains("min-buffers to 3"),
            "{pool}"
        );
        assert_eq!(Room::new(3_110_400).check(3_110_400, 1), Ok(()));
    }

    #[test]
    fn where_no_limit_is_set_there_is_always_room_for_two_frames() {
        let room = Room::default();
        assert_eq!(room.bytes(3_110_400), USUAL);
        assert_eq!(room.bytes(USUAL), 2 * USUAL);
        assert_eq!(room.check(u64::MAX, u32::MAX), Ok(()));
        assert_eq!(Room::new(5_000).bytes(4_000), 5_000);
    }
}
