//! From a frame of any format and size to the tensor that the model takes.
//!
//! Planes are scaled first, each as it is, and colours converted after that: the conversion then works on the few
//! pixels that the network sees. All buffers are reused.

mod scale;

use fast_image_resize::Resizer;
use fast_image_resize::pixels::{U8, U8x2, U8x3, U8x4};
use livetune_core::infer::{
    Letterbox, Normalisation, Packing, Placement, Size, fill, write_pixels,
};
use yuv::{
    BufferStoreMut, YuvBiPlanarImage, YuvConversionMode, YuvGrayImage, YuvPackedImage,
    YuvPlanarImage, YuvPlanarImageMut,
};

use super::engine::TensorRef;
use super::picture::{Colours, Picture, Pixels, Plane};
use scale::{Extent, scale};

/// Bytes of a pixel of the scaled picture where it comes from YUV.
const RGB: usize = 3;
/// The faster of the two exact ones: the difference is below one step of 255.
const MODE: YuvConversionMode = YuvConversionMode::Balanced;

/// Why a frame could not be made a tensor; its text is for a warning.
pub(super) type Unfit = String;

/// Makes tensors for one model.
#[derive(Debug)]
pub(super) struct Preprocessor {
    input: Size,
    placement: Placement,
    normalisation: Normalisation,
    shape: [usize; 4],
    /// Where the last frame was put.
    letterbox: Option<Letterbox>,
    tensor: Vec<f32>,
    resizer: Resizer,
    scratch: Scratch,
}

/// The scaled planes and the scaled picture.
#[derive(Debug, Default)]
struct Scratch {
    planes: [Vec<u8>; 3],
    /// Planes of a packed YUV picture before they are scaled.
    unpacked: [Vec<u8>; 3],
    picture: Vec<u8>,
}

impl Preprocessor {
    pub(super) fn new(input: Size, placement: Placement, normalisation: Normalisation) -> Self {
        let (width, height) = (input.width as usize, input.height as usize);
        Self {
            input,
            placement,
            normalisation,
            shape: [1, 3, height, width],
            letterbox: None,
            tensor: vec![0.0; 3 * width * height],
            resizer: Resizer::new(),
            scratch: Scratch::default(),
        }
    }

    /// The tensor of `picture` and where in it the picture is.
    pub(super) fn prepare(
        &mut self,
        picture: &Picture<'_>,
    ) -> Result<(TensorRef<'_>, Letterbox), Unfit> {
        let letterbox = self.lay_out(picture.size);
        if letterbox.content == picture.size {
            self.take(picture, &letterbox)?;
        } else {
            self.shrink(picture, &letterbox)?;
        }
        let tensor = TensorRef {
            shape: &self.shape,
            data: &self.tensor,
        };
        Ok((tensor, letterbox))
    }

    /// Letterboxes of frames of one size are the same: the padding is written once.
    fn lay_out(&mut self, frame: Size) -> Letterbox {
        if let Some(letterbox) = self.letterbox.filter(|known| known.frame == frame) {
            return letterbox;
        }
        fill(&mut self.tensor, &self.normalisation);
        let letterbox = Letterbox::new(frame, self.input, self.placement);
        self.letterbox = Some(letterbox);
        letterbox
    }

    /// A frame that fits as it is: colours only.
    fn take(&mut self, picture: &Picture<'_>, letterbox: &Letterbox) -> Result<(), Unfit> {
        let colours = picture.colours;
        match picture.pixels {
            Pixels::Packed {
                plane,
                bytes,
                offsets,
            } => {
                let packing = Packing {
                    stride: plane.stride,
                    bytes,
                    offsets,
                };
                self.write(plane.data, &packing, letterbox);
                return Ok(());
            }
            Pixels::SemiPlanar { luma, chroma } => {
                self.scratch.convert_nv12(luma, chroma, colours)?
            }
            Pixels::Planar { luma, blue, red } => {
                self.scratch.convert_i420([luma, blue, red], colours)?;
            }
            Pixels::Yuyv(plane) => self.scratch.convert_yuyv(plane, colours)?,
            Pixels::Gray(plane) => self.scratch.convert_gray(plane, colours)?,
        }
        self.write_scratch(letterbox);
        Ok(())
    }

    fn shrink(&mut self, picture: &Picture<'_>, letterbox: &Letterbox) -> Result<(), Unfit> {
        let (to, colours) = (letterbox.content, picture.colours);
        let whole = Extent::whole(picture.size);
        let half = Extent::half(picture.size);
        let (resizer, scratch) = (&mut self.resizer, &mut self.scratch);
        let [first, second, third] = &mut scratch.planes;
        match picture.pixels {
            Pixels::Packed {
                plane,
                bytes,
                offsets,
            } => {
                if bytes == 3 {
                    scale::<U8x3>(resizer, &plane, whole, to, first)?;
                } else {
                    scale::<U8x4>(resizer, &plane, whole, to, first)?;
                }
                let packing = Packing {
                    stride: to.width as usize * bytes,
                    bytes,
                    offsets,
                };
                let pixels = &self.scratch.planes[0];
                let (normalisation, tensor) = (&self.normalisation, &mut self.tensor);
                write_pixels(pixels, &packing, letterbox, normalisation, tensor);
                return Ok(());
            }
            Pixels::SemiPlanar { luma, chroma } => {
                scale::<U8>(resizer, &luma, whole, to, first)?;
                scale::<U8x2>(resizer, &chroma, half, to, second)?;
                scratch.convert_nv24(to, colours)?;
            }
            Pixels::Planar { luma, blue, red } => {
                scale::<U8>(resizer, &luma, whole, to, first)?;
                scale::<U8>(resizer, &blue, half, to, second)?;
                scale::<U8>(resizer, &red, half, to, third)?;
                scratch.convert_yuv444(to, colours)?;
            }
            Pixels::Yuyv(plane) => {
                unpack(&plane, &mut scratch.unpacked)?;
                let columns = Extent {
                    height: whole.height,
                    ..half
                };
                let [luma, blue, red] = unpacked(&scratch.unpacked, plane.size);
                scale::<U8>(resizer, &luma, whole, to, first)?;
                scale::<U8>(resizer, &blue, columns, to, second)?;
                scale::<U8>(resizer, &red, columns, to, third)?;
                scratch.convert_yuv444(to, colours)?;
            }
            Pixels::Gray(plane) => {
                scale::<U8>(resizer, &plane, whole, to, first)?;
                let gray = std::mem::take(first);
                let plane = Plane {
                    data: &gray,
                    stride: to.width as usize,
                    size: to,
                };
                let result = scratch.convert_gray(plane, colours);
                scratch.planes[0] = gray;
                result?;
            }
        }
        self.write_scratch(letterbox);
        Ok(())
    }

    fn write_scratch(&mut self, letterbox: &Letterbox) {
        let packing = Packing {
            stride: letterbox.content.width as usize * RGB,
            bytes: RGB,
            offsets: [0, 1, 2],
        };
        let (normalisation, tensor) = (&self.normalisation, &mut self.tensor);
        let pixels = &self.scratch.picture;
        write_pixels(pixels, &packing, letterbox, normalisation, tensor);
    }

    fn write(&mut self, pixels: &[u8], packing: &Packing, letterbox: &Letterbox) {
        let (normalisation, tensor) = (&self.normalisation, &mut self.tensor);
        write_pixels(pixels, packing, letterbox, normalisation, tensor);
    }
}

/// Each makes `picture` from planes.
impl Scratch {
    fn room(&mut self, size: Size) -> (&mut [u8], u32) {
        let stride = size.width * RGB as u32;
        self.picture
            .resize(stride as usize * size.height as usize, 0);
        (&mut self.picture, stride)
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
        let (rgb, stride) = self.room(luma.size);
        yuv::yuv_nv12_to_rgb(&image, rgb, stride, range, matrix, MODE).map_err(said)
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
        let (rgb, stride) = self.room(luma.size);
        yuv::yuv420_to_rgb(&image, rgb, stride, range, matrix).map_err(said)
    }

    fn convert_yuyv(&mut self, plane: Plane, colours: Colours) -> Result<(), Unfit> {
        let image = YuvPackedImage {
            yuy: plane.data,
            yuy_stride: plane.stride as u32,
            width: plane.size.width,
            height: plane.size.height,
        };
        let Colours { range, matrix } = colours;
        let (rgb, stride) = self.room(plane.size);
        yuv::yuyv422_to_rgb(&image, rgb, stride, range, matrix).map_err(said)
    }

    fn convert_gray(&mut self, plane: Plane, colours: Colours) -> Result<(), Unfit> {
        let image = YuvGrayImage {
            y_plane: plane.data,
            y_stride: plane.stride as u32,
            width: plane.size.width,
            height: plane.size.height,
        };
        let Colours { range, matrix } = colours;
        let (rgb, stride) = self.room(plane.size);
        yuv::yuv400_to_rgb(&image, rgb, stride, range, matrix).map_err(said)
    }

    /// From the scaled planes: luma, and chroma of the same size.
    fn convert_nv24(&mut self, size: Size, colours: Colours) -> Result<(), Unfit> {
        self.room(size);
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
        let (rgb, stride) = (&mut self.picture, size.width * RGB as u32);
        yuv::yuv_nv24_to_rgb(&image, rgb, stride, range, matrix, MODE).map_err(said)
    }

    /// From the scaled planes, all of one size.
    fn convert_yuv444(&mut self, size: Size, colours: Colours) -> Result<(), Unfit> {
        self.room(size);
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
        let (rgb, stride) = (&mut self.picture, size.width * RGB as u32);
        yuv::yuv444_to_rgb(&image, rgb, stride, range, matrix).map_err(said)
    }
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
        yuy: plane.data,
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

fn said(error: impl std::fmt::Display) -> Unfit {
    error.to_string()
}
