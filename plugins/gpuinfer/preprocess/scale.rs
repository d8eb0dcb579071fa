//! Scaling of one plane whose rows may have gaps between them.

use std::marker::PhantomData;

use fast_image_resize::images::TypedImage;
use fast_image_resize::pixels::{U8, U8x2, U8x3, U8x4};
use fast_image_resize::{FilterType, ImageView, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use livetune_core::infer::{Region, Size};

use super::Unfit;
use crate::gpuinfer::picture::Plane;

/// A part of a plane in its pixels; halves where the plane is half as large as the picture and the part's edge odd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Extent {
    /// Of a plane as large as the picture.
    pub(super) fn full(region: Region) -> Self {
        Self {
            left: f64::from(region.left),
            top: f64::from(region.top),
            width: f64::from(region.width),
            height: f64::from(region.height),
        }
    }

    /// Of a plane that is half as wide.
    pub(super) fn half_wide(region: Region) -> Self {
        let full = Self::full(region);
        Self {
            left: full.left / 2.0,
            width: full.width / 2.0,
            ..full
        }
    }

    /// Of a plane that is half as wide and half as high.
    pub(super) fn half(region: Region) -> Self {
        let wide = Self::half_wide(region);
        Self {
            top: wide.top / 2.0,
            height: wide.height / 2.0,
            ..wide
        }
    }
}

/// Scales `extent` of `plane` to the size `to`; `scaled` is without gaps then.
///
/// Bilinear between the four nearest pixels, as OpenCV's INTER_LINEAR, which the detectors were trained with.
pub(super) fn scale<P: Bytes>(
    resizer: &mut Resizer,
    plane: &Plane,
    extent: Extent,
    to: Size,
    scaled: &mut Vec<u8>,
) -> Result<(), Unfit> {
    scaled.resize(to.width as usize * to.height as usize * size_of::<P>(), 0);
    let source = Rows::<P>::of(plane).ok_or("a plane is shorter than its rows")?;
    let mut target = TypedImage::<P>::from_buffer(to.width, to.height, scaled)
        .map_err(|error| error.to_string())?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear))
        .use_alpha(false)
        .crop(extent.left, extent.top, extent.width, extent.height);
    resizer
        .resize_typed(&source, &mut target, &options)
        .map_err(|error| error.to_string())
}

/// Pixels that are bytes and nothing else.
///
/// # Safety
/// Every sequence of bytes is a valid pixel, and a pixel may start at any byte.
pub(super) unsafe trait Bytes: PixelTrait {}

// SAFETY: each is a `repr(C)` wrapper of one to four u8.
unsafe impl Bytes for U8 {}
// SAFETY: as above.
unsafe impl Bytes for U8x2 {}
// SAFETY: as above.
unsafe impl Bytes for U8x3 {}
// SAFETY: as above.
unsafe impl Bytes for U8x4 {}

/// A plane as the resizer sees it.
struct Rows<'a, P> {
    data: &'a [u8],
    stride: usize,
    size: Size,
    pixel: PhantomData<P>,
}

impl<'a, P: Bytes> Rows<'a, P> {
    /// `None` where a row is longer than the stride or the last one ends behind the plane.
    fn of(plane: &Plane<'a>) -> Option<Self> {
        let row = plane.size.width as usize * size_of::<P>();
        let needed = plane.stride * (plane.size.height as usize).checked_sub(1)? + row;
        (row > 0 && row <= plane.stride && needed <= plane.data.len()).then_some(Self {
            data: plane.data,
            stride: plane.stride,
            size: plane.size,
            pixel: PhantomData,
        })
    }
}

// SAFETY: `of` has seen that each of the `height` chunks has at least `width` pixels.
unsafe impl<P: Bytes> ImageView for Rows<'_, P> {
    type Pixel = P;

    fn width(&self) -> u32 {
        self.size.width
    }

    fn height(&self) -> u32 {
        self.size.height
    }

    fn iter_rows(&self, start_row: u32) -> impl Iterator<Item = &[P]> {
        let width = self.size.width as usize;
        let rows = self.size.height.saturating_sub(start_row) as usize;
        let chunks = self.data.chunks(self.stride).skip(start_row as usize);
        chunks.take(rows).map(move |row| {
            // SAFETY: `Bytes` promises that any bytes are pixels and that nothing is left before the first one.
            let (_, pixels, _) = unsafe { row.align_to::<P>() };
            &pixels[..width]
        })
    }
}
