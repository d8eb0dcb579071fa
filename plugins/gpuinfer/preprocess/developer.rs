//! YUV pictures of any kind as RGBA without gaps, scaled on the way or not.

use livetune_core::infer::{Packing, Region, Size};
use yuv::{
    BufferStoreMut, YuvBiPlanarImage, YuvConversionMode, YuvGrayImage, YuvPackedImage,
    YuvPlanarImage, YuvPlanarImageMut,
};

use super::Unfit;
use super::scale::{Extent, Scaler};
use crate::gpuinfer::picture::{Colours, Picture, Pixels, Plane};

/// Bytes of a pixel: four are faster to take apart than three.
const RGBA: usize = 4;
/// The mode that is exact to one step of 255, the only one built.
const MODE: YuvConversionMode = YuvConversionMode::Balanced;

/// Holds the picture that was made last, and what it was made from.
#[derive(Debug, Default)]
pub(super) struct Developer {
    planes: [Vec<u8>; 3],
    /// Planes of a packed picture before they are scaled.
    unpacked: [Vec<u8>; 3],
    rgba: Vec<u8>,
}

impl Developer {
    /// The picture made last, whose rows are `width` long, and how it lies.
    pub(super) fn rgba(&self, width: u32) -> (&[u8], Packing) {
        let packing = Packing {
            stride: width as usize * RGBA,
            bytes: RGBA,
            offsets: [0, 1, 2],
        };
        (&self.rgba, packing)
    }

    /// Converts `picture` as it is. A picture of packed colours needs none of this and is left out.
    pub(super) fn develop(&mut self, picture: &Picture<'_>) -> Result<(), Unfit> {
        let colours = picture.colours;
        match picture.pixels {
            Pixels::SemiPlanar { luma, chroma } => self.convert_nv12(luma, chroma, colours),
            Pixels::Planar { luma, blue, red } => self.convert_i420([luma, blue, red], colours),
            Pixels::Yuyv(plane) => self.convert_yuyv(plane, colours),
            Pixels::Gray(plane) => {
                let (rgba, stride) = room(&mut self.rgba, plane.size);
                convert_gray(plane, colours, rgba, stride)
            }
            Pixels::Packed { .. } => Ok(()),
            Pixels::Device(_) => Err("a frame on a GPU cannot be read here".to_owned()),
        }
    }

    /// Scales `region` of the planes of `picture` to the size `to` and converts what comes out, chroma at full size.
    pub(super) fn shrink(
        &mut self,
        scaler: &mut Scaler,
        picture: &Picture<'_>,
        region: Region,
        to: Size,
    ) -> Result<(), Unfit> {
        let (colours, size) = (picture.colours, picture.size);
        let (whole, half) = (Extent::full(region), Extent::half(region));
        let [first, second, third] = &mut self.planes;
        match picture.pixels {
            Pixels::SemiPlanar { luma, chroma } => {
                scaler.scale::<1>(&luma, whole, to, first)?;
                scaler.scale::<2>(&chroma, half, to, second)?;
                self.convert_nv24(to, colours)
            }
            Pixels::Planar { luma, blue, red } => {
                scaler.scale::<1>(&luma, whole, to, first)?;
                scaler.scale::<1>(&blue, half, to, second)?;
                scaler.scale::<1>(&red, half, to, third)?;
                self.convert_yuv444(to, colours)
            }
            Pixels::Yuyv(plane) => {
                unpack(&plane, &mut self.unpacked)?;
                let columns = Extent::half_wide(region);
                let [luma, blue, red] = unpacked(&self.unpacked, size);
                scaler.scale::<1>(&luma, whole, to, first)?;
                scaler.scale::<1>(&blue, columns, to, second)?;
                scaler.scale::<1>(&red, columns, to, third)?;
                self.convert_yuv444(to, colours)
            }
            Pixels::Gray(plane) => {
                scaler.scale::<1>(&plane, whole, to, first)?;
                let scaled = Plane {
                    data: first,
                    stride: to.width as usize,
                    size: to,
                };
                let (rgba, stride) = room(&mut self.rgba, to);
                convert_gray(scaled, colours, rgba, stride)
            }
            Pixels::Packed { .. } => Ok(()),
            Pixels::Device(_) => Err("a frame on a GPU cannot be read here".to_owned()),
        }
    }

    fn convert_nv12(&mut self, luma: Plane, chroma: Plane, colours: Colours) -> Result<(), Unfit> {
        let image = YuvBiPlanarImage {
            y_plane: luma.data,
            y_stride: luma.stride as u32,
            uv_plane: chroma.data,
            uv_stride: chroma.stride as u32,
            width: luma.size.width,
            height: luma.size.height,
        };
        let Colours { range, matrix } = colours;
        let (rgba, stride) = room(&mut self.rgba, luma.size);
        yuv::yuv_nv12_to_rgba(&image, rgba, stride, range, matrix, MODE).map_err(said)
    }

    fn convert_i420(&mut self, planes: [Plane; 3], colours: Colours) -> Result<(), Unfit> {
        let [luma, blue, red] = planes;
        let image = YuvPlanarImage {
            y_plane: luma.data,
            y_stride: luma.stride as u32,
            u_plane: blue.data,
            u_stride: blue.stride as u32,
            v_plane: red.data,
            v_stride: red.stride as u32,
            width: luma.size.width,
            height: luma.size.height,
        };
        let Colours { range, matrix } = colours;
        let (rgba, stride) = room(&mut self.rgba, luma.size);
        yuv::yuv420_to_rgba(&image, rgba, stride, range, matrix).map_err(said)
    }

    fn convert_yuyv(&mut self, plane: Plane, colours: Colours) -> Result<(), Unfit> {
        let image = YuvPackedImage {
            yuy: exact(&plane),
            yuy_stride: plane.stride as u32,
            width: plane.size.width,
            height: plane.size.height,
        };
        let Colours { range, matrix } = colours;
        let (rgba, stride) = room(&mut self.rgba, plane.size);
        yuv::yuyv422_to_rgba(&image, rgba, stride, range, matrix).map_err(said)
    }

    /// From the scaled planes: luma, and chroma of the same size.
    fn convert_nv24(&mut self, size: Size, colours: Colours) -> Result<(), Unfit> {
        let [luma, chroma, _] = &self.planes;
        let image = YuvBiPlanarImage {
            y_plane: luma,
            y_stride: size.width,
            uv_plane: chroma,
            uv_stride: size.width * 2,
            width: size.width,
            height: size.height,
        };
        let Colours { range, matrix } = colours;
        let (rgba, stride) = room(&mut self.rgba, size);
        yuv::yuv_nv24_to_rgba(&image, rgba, stride, range, matrix, MODE).map_err(said)
    }

    /// From the scaled planes, all of one size.
    fn convert_yuv444(&mut self, size: Size, colours: Colours) -> Result<(), Unfit> {
        let [luma, blue, red] = &self.planes;
        let image = YuvPlanarImage {
            y_plane: luma,
            y_stride: size.width,
            u_plane: blue,
            u_stride: size.width,
            v_plane: red,
            v_stride: size.width,
            width: size.width,
            height: size.height,
        };
        let Colours { range, matrix } = colours;
        let (rgba, stride) = room(&mut self.rgba, size);
        yuv::yuv444_to_rgba(&image, rgba, stride, range, matrix).map_err(said)
    }
}

/// `rgba` as long as a picture of this `size` is, and its stride.
fn room(rgba: &mut Vec<u8>, size: Size) -> (&mut [u8], u32) {
    let stride = size.width * RGBA as u32;
    rgba.resize(stride as usize * size.height as usize, 0);
    (rgba, stride)
}

fn convert_gray(plane: Plane, colours: Colours, rgba: &mut [u8], stride: u32) -> Result<(), Unfit> {
    let image = YuvGrayImage {
        y_plane: plane.data,
        y_stride: plane.stride as u32,
        width: plane.size.width,
        height: plane.size.height,
    };
    let Colours { range, matrix } = colours;
    yuv::yuv400_to_rgba(&image, rgba, stride, range, matrix).map_err(said)
}

/// Sorts a packed 4:2:2 picture into planes without gaps.
fn unpack(plane: &Plane, planes: &mut [Vec<u8>; 3]) -> Result<(), Unfit> {
    let (size, half) = (plane.size, plane.size.width.div_ceil(2));
    let rows = size.height as usize;
    let [luma, blue, red] = planes;
    luma.resize(size.width as usize * rows, 0);
    blue.resize(half as usize * rows, 0);
    red.resize(half as usize * rows, 0);
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(luma),
        y_stride: size.width,
        u_plane: BufferStoreMut::Borrowed(blue),
        u_stride: half,
        v_plane: BufferStoreMut::Borrowed(red),
        v_stride: half,
        width: size.width,
        height: size.height,
    };
    let packed = YuvPackedImage {
        yuy: exact(plane),
        yuy_stride: plane.stride as u32,
        width: size.width,
        height: size.height,
    };
    yuv::yuyv422_to_yuv422(&mut image, &packed).map_err(said)
}

fn unpacked(planes: &[Vec<u8>; 3], size: Size) -> [Plane<'_>; 3] {
    let half = Size::new(size.width.div_ceil(2), size.height);
    let [luma, blue, red] = planes;
    [(luma, size), (blue, half), (red, half)].map(|(data, size)| Plane {
        data,
        stride: size.width as usize,
        size,
    })
}

/// The rows of `plane`, without what a buffer may have behind them: yuv wants a packed picture to end with its rows.
fn exact<'a>(plane: &Plane<'a>) -> &'a [u8] {
    let rows = plane.stride * plane.size.height as usize;
    &plane.data[..rows.min(plane.data.len())]
}

fn said(error: impl std::fmt::Display) -> Unfit {
    error.to_string()
}
