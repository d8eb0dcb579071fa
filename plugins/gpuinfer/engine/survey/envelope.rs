//! Whether a file holds as many bytes as it says, at every depth (<https://protobuf.dev/programming-guides/encoding/>).
//!
//! rten's reader trusts lengths far enough to ask for that much memory.

use std::io::{self, Read, Seek};

/// Bytes of the longest whole number.
const LONGEST: u32 = 10;
/// Deeper than any model's messages lie in each other.
const DEEPEST: u32 = 100;

/// A message of onnx.proto3 that others are in, or `Flat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Flat,
}

impl Kind {
    /// The message that field number `field` is; `None` where it is bytes (or unknown, which is passed over).
    const fn of(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Self::Tensor,
            (Self::Graph, 11..=13) => Self::ValueInfo,
            (Self::Node, 5) => Self::Attribute,
            (Self::ValueInfo, 2) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            // The elements of a sequence: a message with a type in it.
            (Self::Type, 4) => Self::ValueInfo,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Shape, 1) | (Self::Model, 8 | 14) | (Self::Tensor, 13) => Self::Flat,
            _ => return None,
        })
    }
}

impl Kind {
    /// Whether field number `field` is whole numbers in a row: int32_data, int64_data.
    const fn packs_numbers(self, field: u64) -> bool {
        matches!((self, field), (Self::Tensor, 5 | 7))
    }
}

/// Reads a message and knows where it is.
struct Walk<R> {
    reader: io::BufReader<R>,
    at: u64,
}

/// Whether every field of the model in `reader`, `length` bytes long, ends within the message that it is in.
pub(super) fn is_whole(reader: impl Read + Seek, length: u64) -> io::Result<bool> {
    let mut walk = Walk {
        reader: io::BufReader::new(reader),
        at: 0,
    };
    walk.message(Kind::Model, length, DEEPEST)
}

impl<R: Read + Seek> Walk<R> {
    fn message(&mut self, kind: Kind, end: u64, depth: u32) -> io::Result<bool> {
        let Some(deeper) = depth.checked_sub(1) else {
            return Ok(false);
        };
        while self.at < end {
            let Some(key) = self.number()? else {
                return Ok(false);
            };
            // There is no field 0: it is what an empty part of a disk looks like, for gigabytes.
            if key >> 3 == 0 {
                return Ok(false);
            }
            let length = match key & 7 {
                0 => self.number()?.map(|_| 0),
                1 => Some(8),
                2 => self.number()?,
                5 => Some(4),
                _ => None,
            };
            let field_end = length.and_then(|length| self.at.checked_add(length));
            let Some(field_end) = field_end.filter(|field_end| *field_end <= end) else {
                return Ok(false);
            };
            let is_right = match (key & 7 == 2).then(|| kind.of(key >> 3)).flatten() {
                Some(inner) => self.message(inner, field_end, deeper)?,
                None if key & 7 == 2 && kind.packs_numbers(key >> 3) => self.numbers(field_end)?,
                None => self.skip_to(field_end)?,
            };
            if !is_right {
                return Ok(false);
            }
        }
        Ok(self.at == end)
    }

    /// The next whole number; `None` where there is none.
    fn number(&mut self) -> io::Result<Option<u64>> {
        let mut value = 0;
        for place in 0..LONGEST {
            let mut byte = [0];
            if self.reader.read(&mut byte)? == 0 {
                return Ok(None);
            }
            self.at += 1;
            value |= u64::from(byte[0] & 0x7f)
                .checked_shl(place * 7)
                .unwrap_or(0);
            if byte[0] & 0x80 == 0 {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Whole numbers up to `end`; rten's reader does not come back from one that is too long.
    fn numbers(&mut self, end: u64) -> io::Result<bool> {
        while self.at < end {
            if self.number()?.is_none() {
                return Ok(false);
            }
        }
        Ok(self.at == end)
    }

    fn skip_to(&mut self, end: u64) -> io::Result<bool> {
        // No file is so long that this is not the distance.
        self.reader.seek_relative((end - self.at) as i64)?;
        self.at = end;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn whole(bytes: &[u8]) -> bool {
        is_whole(Cursor::new(bytes), bytes.len() as u64).expect("memory can be read")
    }

    #[test]
    fn fields_of_all_kinds_are_passed_over() {
        assert!(whole(&[]));
        // 1: 300; 2: two bytes; 3: four bytes; 4: eight bytes.
        let fields = [
            &[0x08, 0xac, 0x02][..],
            &[0x12, 2, 7, 7],
            &[0x1d, 1, 2, 3, 4],
            &[0x21, 1, 2, 3, 4, 5, 6, 7, 8],
        ];
        let bytes = fields.concat();
        assert!(whole(&bytes));
        for end in 1..bytes.len() {
            let is_border = [3, 7, 12].contains(&end);
            assert_eq!(whole(&bytes[..end]), is_border, "{end}");
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_seen() {
        assert!(!whole(&[0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f, 1]));
        assert!(!whole(&[
            0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01
        ]));
        assert!(!whole(&[0xff; 20]));
        assert!(!whole(b"hello"));
    }

    #[test]
    fn nothing_but_zeros_is_no_model() {
        assert!(!whole(&[0; 8]));
        assert!(!whole(&[0x08, 1, 0, 0]));
    }

    #[test]
    fn a_length_beyond_the_end_of_what_it_is_in_is_seen() {
        // graph { name: "ab" }, and the same with a name that is longer than the graph, in a file that goes on.
        assert!(whole(&[0x3a, 4, 0x12, 2, b'a', b'b', 0x08, 1]));
        assert!(!whole(&[0x3a, 4, 0x12, 3, b'a', b'b', 0x08, 1]));
        // graph { node { attribute { t { raw_data: .. } } } }
        assert!(whole(&[0x3a, 8, 0x0a, 6, 0x2a, 4, 0x2a, 2, 0x4a, 0]));
        assert!(!whole(&[0x3a, 8, 0x0a, 6, 0x2a, 4, 0x2a, 2, 0x4a, 1]));
    }

    #[test]
    fn a_number_that_does_not_end_is_seen() {
        // graph { initializer { int64_data: [-1] } }, and the same with a number of eleven bytes.
        let mut bytes = [&[0x3a, 14, 0x2a, 12, 0x3a, 10][..], &[0xff; 9], &[0x01]].concat();
        assert!(whole(&bytes));
        bytes[15] = 0x81;
        assert!(!whole(&bytes));
    }

    #[test]
    fn messages_that_lie_too_deep_are_refused() {
        let nested = |times: u32| {
            // An attribute's graph whose node has an attribute whose graph ...
            let mut bytes: Vec<u8> = Vec::new();
            for _ in 0..times {
                for key in [0x32, 0x2a, 0x0a] {
                    let length = bytes.len();
                    let length = [length as u8 & 0x7f | 0x80, (length >> 7) as u8];
                    bytes.splice(0..0, [key, length[0], length[1]]);
                }
            }
            let length = [bytes.len() as u8 & 0x7f | 0x80, (bytes.len() >> 7) as u8];
            bytes.splice(0..0, [0x3a, length[0], length[1]]);
            bytes
        };
        assert!(whole(&nested(20)));
        assert!(!whole(&nested(40)));
    }
}
