//! Frames in main memory that go into one batch with frames on the GPU.

use gst_video::VideoFormat;
use livetune_core::infer::Size;

use super::plan::{Channel, Kind, Surface};
use crate::gpuinfer::picture::{Pixels, Plane};

/// A picture's planes, to be laid one behind the other.
pub(super) struct Upload<'a> {
    pub(super) parts: [&'a [u8]; 3],
    /// How it lies then; the address is still to be given.
    pub(super) surface: Surface,
}

impl<'a> Upload<'a> {
    /// Of `pixels`, a picture of this `size`; `None` where they are on a GPU already, or too few.
    pub(super) fn of(pixels: &Pixels<'a>, size: Size) -> Option<Self> {
        match *pixels {
            Pixels::SemiPlanar { luma, chroma } => {
                Self::planar(VideoFormat::Nv12, size, &[luma, chroma])
            }
            Pixels::Planar { luma, blue, red } => {
                Self::planar(VideoFormat::I420, size, &[luma, blue, red])
            }
            Pixels::Yuyv(plane) => Self::planar(VideoFormat::Yuy2, size, &[plane]),
            Pixels::Gray(plane) => Self::planar(VideoFormat::Gray8, size, &[plane]),
            Pixels::Packed {
                plane,
                bytes,
                offsets,
            } => Some(Self {
                parts: [plane.data, &[], &[]],
                surface: Surface {
                    address: 0,
                    bytes: plane.data.len(),
                    kind: Kind::Rgb,
                    channels: offsets.map(|at| Channel {
                        start: at,
                        stride: plane.stride,
                        step: bytes,
                        shifts: [0, 0],
                    }),
                },
            }),
            Pixels::Device(_) => None,
        }
    }

    fn planar(format: VideoFormat, size: Size, planes: &[Plane<'a>]) -> Option<Self> {
        let mut parts: [&[u8]; 3] = [&[]; 3];
        let mut places = [(0, 0); 3];
        let mut bytes = 0;
        for ((part, place), plane) in parts.iter_mut().zip(&mut places).zip(planes) {
            *part = plane.data;
            *place = (bytes, plane.stride);
            bytes += plane.data.len();
        }
        let places = &places[..planes.len()];
        let surface = Surface::of(format, size, places, (0, bytes))?;
        Some(Self { parts, surface })
    }
}
