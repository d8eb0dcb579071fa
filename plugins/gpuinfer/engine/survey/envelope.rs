//! Whether a file holds as many bytes as it says (<https://protobuf.dev/programming-guides/encoding/>).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

/// Bytes of the longest whole number.
const LONGEST: u32 = 10;

/// Whether every outermost field of the message in `file` ends within it; what is inside is then bounded too.
/// Leaves `file` at its beginning.
pub(super) fn is_whole(file: &mut File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let mut reader = BufReader::new(&mut *file);
    let whole = fields(&mut reader, length)?;
    file.rewind()?;
    Ok(whole)
}

fn fields(reader: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    while reader.stream_position()? < length {
        let Some(key) = number(reader)? else {
            return Ok(false);
        };
        let skipped = match key & 7 {
            0 => number(reader)?.map(|_| 0),
            1 => Some(8),
            2 => number(reader)?,
            5 => Some(4),
            _ => None,
        };
        let end = skipped.and_then(|bytes| reader.stream_position().ok()?.checked_add(bytes));
        match end {
            Some(end) if end <= length => reader.seek(io::SeekFrom::Start(end))?,
            _ => return Ok(false),
        };
    }
    Ok(true)
}

/// The next whole number; `None` where there is none.
fn number(reader: &mut impl Read) -> io::Result<Option<u64>> {
    let mut value = 0;
    for place in 0..LONGEST {
        let mut byte = [0];
        if reader.read(&mut byte)? == 0 {
            return Ok(None);
        }
        value |= u64::from(byte[0] & 0x7f)
            .checked_shl(place * 7)
            .unwrap_or(0);
        if byte[0] & 0x80 == 0 {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn is_whole(bytes: &[u8]) -> bool {
        fields(&mut Cursor::new(bytes), bytes.len() as u64).expect("memory can be read")
    }

    #[test]
    fn fields_of_all_kinds_are_passed_over() {
        assert!(is_whole(&[]));
        // 1: 300; 2: two bytes; 3: four bytes; 4: eight bytes.
        let fields = [
            &[0x08, 0xac, 0x02][..],
            &[0x12, 2, 7, 7],
            &[0x1d, 1, 2, 3, 4],
            &[0x21, 1, 2, 3, 4, 5, 6, 7, 8],
        ];
        let whole = fields.concat();
        assert!(is_whole(&whole));
        for end in 1..whole.len() {
            let is_border = [3, 7, 12].contains(&end);
            assert_eq!(is_whole(&whole[..end]), is_border, "{end}");
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_seen() {
        assert!(!is_whole(&[0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f, 1]));
        assert!(!is_whole(&[
            0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01
        ]));
        assert!(!is_whole(&[0xff; 20]));
        assert!(!is_whole(b"hello"));
    }
}
