//! Round trips through pictures made by hand, and data that mean no good.

use super::*;
use proptest::prelude::*;

const H264: Format = Format::with_start_codes(Codec::H264);
const NOW: u64 = 3_990_000_000_123_456_789;

/// Units, framed as `format` says.
fn stream(format: Format, units: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::new();
    for unit in units {
        match format.framing {
            Framing::StartCodes => data.extend([0, 0, 0, 1]),
            Framing::Lengths(size) => {
                data.extend(&(unit.len() as u32).to_be_bytes()[4 - usize::from(size)..]);
            }
        }
        data.extend_from_slice(unit);
    }
    data
}

/// Parameter sets, and the first and second slice of a picture.
fn picture(format: Format) -> Vec<u8> {
    match format.codec {
        Codec::H264 => stream(
            format,
            &[&[0x67, 0x42, 0, 1], &[0x68, 1], &[0x65, 0x88], &[0x65, 8]],
        ),
        Codec::H265 => stream(
            format,
            &[
                &[0x40, 1, 5],
                &[0x42, 1, 5],
                &[0x26, 1, 0x88],
                &[0x26, 1, 8],
            ],
        ),
    }
}

fn with_time(format: Format, data: &[u8], time: u64) -> Vec<u8> {
    let slot = slot(format, data).expect("a picture begins");
    let mut all = data[..slot].to_vec();
    all.extend_from_slice(unit(format, time).as_ref());
    all.extend_from_slice(&data[slot..]);
    all
}

fn formats() -> Vec<Format> {
    let framings = [
        Framing::StartCodes,
        Framing::Lengths(1),
        Framing::Lengths(2),
        Framing::Lengths(4),
    ];
    let of = |codec| move |framing| Format { codec, framing };
    let h264 = framings.iter().copied().map(of(Codec::H264));
    let h265 = framings.iter().copied().map(of(Codec::H265));
    h264.chain(h265).collect()
}

#[test]
fn a_time_in_front_of_the_first_slice_is_read_back() {
    for format in formats() {
        let data = picture(format);
        assert_eq!(read(format, &data), None);
        assert_eq!(read(format, &with_time(format, &data, NOW)), Some(NOW));
    }
}

#[test]
fn a_second_time_is_not_put_in() {
    for format in formats() {
        let data = with_time(format, &picture(format), NOW);
        assert_eq!(slot(format, &data), None);
    }
}

#[test]
fn a_later_slice_or_a_parameter_set_is_no_place() {
    assert_eq!(slot(H264, &stream(H264, &[&[0x65, 0x08]])), None);
    assert_eq!(slot(H264, &stream(H264, &[&[0x67, 1, 2]])), None);
    assert_eq!(slot(H264, &[]), None);
}

#[test]
fn what_belongs_to_a_slice_stays_with_it() {
    let prefix: &[u8] = &[0x6e, 0x80, 0x80, 7];
    let data = stream(H264, &[&[0x09, 0x10], prefix, &[0x65, 0x88]]);
    assert_eq!(slot(H264, &data), Some(6));
}

#[test]
fn a_start_code_of_three_bytes_will_do() {
    let data = [0, 0, 1, 9, 0x10, 0, 0, 1, 0x65, 0x88];
    assert_eq!(slot(H264, &data), Some(5));
    assert_eq!(read(H264, &with_time(H264, &data, NOW)), Some(NOW));
}

#[test]
fn other_messages_in_front_are_stepped_over() {
    let ours = unit(H264, NOW);
    let message = &ours.as_ref()[5..];
    let mut sei = vec![6, 1, 2, 9, 9, 5, 255, 45];
    sei.extend([7; 300]);
    sei.extend_from_slice(message);
    let data = stream(H264, &[&[6, 5, 3, 1, 2, 3, 0x80], &sei, &[0x65, 0x88]]);
    assert_eq!(read(H264, &data), Some(NOW));
}

#[test]
fn times_behind_the_first_slice_are_not_looked_for() {
    let mut data = stream(H264, &[&[0x65, 0x88]]);
    data.extend_from_slice(unit(H264, NOW).as_ref());
    assert_eq!(read(H264, &data), None);
}

#[test]
fn the_length_of_lengths_is_in_the_decoder_configuration() {
    let lengths = |codec, record: &[u8]| Format::with_lengths(codec, record).map(|f| f.framing);
    let avc = [1, 0x42, 0, 30, 0xff, 0xe1];
    assert_eq!(lengths(Codec::H264, &avc), Some(Framing::Lengths(4)));
    let mut hevc = [0; 23];
    hevc[21] = 0xfd;
    assert_eq!(lengths(Codec::H265, &hevc), Some(Framing::Lengths(2)));
    assert_eq!(lengths(Codec::H265, &avc), None);
    assert_eq!(lengths(Codec::H264, &[1, 0x42, 0, 30, 0xfe]), None);
}

proptest! {
    #[test]
    fn every_time_is_read_back_and_looks_like_no_start_code(time: u64, which in 0_usize..8) {
        let format = formats()[which];
        let data = picture(format);
        let all = with_time(format, &data, time);
        prop_assert_eq!(read(format, &all), Some(time));
        let unit = unit(format, time);
        let header = if format.framing == Framing::StartCodes { 4 } else { 0 };
        let inner = &unit.as_ref()[header..];
        if format.framing == Framing::StartCodes {
            prop_assert!(!inner.windows(3).any(|three| three[..2] == [0, 0] && three[2] < 3));
        }
        prop_assert!(unit.as_ref().len() <= 40);
    }

    #[test]
    fn no_data_make_it_panic(mut data in prop::collection::vec(any::<u8>(), 0..400), which in 0_usize..8) {
        let format = formats()[which];
        let _ = (read(format, &data), slot(format, &data));
        data.iter_mut().for_each(|byte| *byte &= 7);
        if let Some(slot) = slot(format, &data) {
            prop_assert!(slot < data.len());
        }
        let _ = read(format, &data);
    }

    #[test]
    fn a_picture_cut_anywhere_gives_the_time_or_none(time: u64, cut in 0_usize..100, which in 0_usize..8) {
        let format = formats()[which];
        let all = with_time(format, &picture(format), time);
        let answer = read(format, &all[..cut.min(all.len())]);
        prop_assert!(answer.is_none() || answer == Some(time));
    }

    #[test]
    fn other_bytes_stay_as_they_were(slice in prop::collection::vec(1_u8.., 1..50), which in 0_usize..8) {
        let format = formats()[which];
        let mut data = picture(format);
        data.extend(slice);
        let slot = slot(format, &data).expect("a picture begins");
        let all = with_time(format, &data, NOW);
        let size = unit(format, NOW).as_ref().len();
        prop_assert_eq!([&all[..slot], &all[slot + size..]].concat(), data);
    }
}
