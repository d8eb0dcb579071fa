//! Where a picture may lie, and where not.

use gst_video::VideoFormat;
use livetune_core::infer::Size;

use crate::gpuinfer::cuda::Surface;

const SIZE: Size = Size::new(63, 47);
const STRIDE: usize = 512;
const CHROMA: usize = 48 * STRIDE;

fn nv12(planes: &[(usize, usize)], bytes: usize) -> Option<Surface> {
    Surface::of(VideoFormat::Nv12, SIZE, planes, (1 << 40, bytes))
}

#[test]
fn a_picture_fits_in_its_memory_to_the_byte() {
    let planes = [(0, STRIDE), (CHROMA, STRIDE)];
    // 24 rows of 32 pairs of chroma.
    let needed = CHROMA + 23 * STRIDE + 64;
    assert!(nv12(&planes, needed).is_some());
    assert!(nv12(&planes, needed - 1).is_none());
    assert!(nv12(&planes, 0).is_none());
}

#[test]
fn planes_that_cannot_be_are_refused() {
    let bytes = 72 * STRIDE;
    assert!(nv12(&[(0, STRIDE)], bytes).is_none(), "no chroma");
    assert!(
        nv12(&[(0, 62), (CHROMA, STRIDE)], bytes).is_none(),
        "narrower than its rows"
    );
    assert!(
        nv12(&[(0, 0), (CHROMA, STRIDE)], bytes).is_none(),
        "one row again and again"
    );
    assert!(nv12(&[(usize::MAX, STRIDE), (CHROMA, STRIDE)], bytes).is_none());
    assert!(nv12(&[(0, usize::MAX), (CHROMA, STRIDE)], usize::MAX).is_none());
    assert!(
        nv12(&[(0, STRIDE), (bytes, STRIDE)], bytes).is_none(),
        "behind the end"
    );
    let nothing = Size::new(0, 47);
    let planes = [(0, STRIDE), (CHROMA, STRIDE)];
    assert!(Surface::of(VideoFormat::Nv12, nothing, &planes, (0, bytes)).is_none());
    let unknown = Surface::of(VideoFormat::P01010le, SIZE, &planes, (0, bytes));
    assert!(unknown.is_none());
}
