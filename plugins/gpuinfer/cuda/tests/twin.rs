//! The kernel, line by line, in Rust: what it computes is proved where there is no GPU.

use crate::gpuinfer::cuda::plan::{Plan, Plane};

const RGB: i32 = 0;
const YUV: i32 = 1;
const F32: i32 = 0;
const F16: i32 = 1;

/// A tensor of any of the kinds of numbers, as its bytes.
pub(super) type Tensor = Vec<u8>;

struct Place {
    first: i32,
    weight: f64,
}

fn place(start: f64, scale: f64, at: i32, pixels: i32) -> Place {
    let last = f64::from(pixels - 1);
    let exact = start + (f64::from(at) + 0.5) * scale - 0.5;
    let exact = exact.clamp(0.0, last);
    let first = exact.floor().min((last - 1.0).max(0.0));
    let weight = exact - first;
    let first = first as i32;
    Place { first, weight }
}

fn mix(pixels: &[u8], plane: &Plane, x: i32, y: i32) -> i32 {
    let row = place(plane.top, plane.down, y, plane.rows);
    let column = place(plane.left, plane.across, x, plane.columns);
    let lower = (row.weight * 256.0).round() as u32;
    let right = (column.weight * 16384.0).round() as u32;
    let next_row = if row.first + 1 < plane.rows {
        row.first + 1
    } else {
        row.first
    };
    let next_column = if column.first + 1 < plane.columns {
        column.first + 1
    } else {
        column.first
    };
    let above = &pixels[row.first as usize * plane.stride as usize..];
    let below = &pixels[next_row as usize * plane.stride as usize..];
    let here = column.first as usize * plane.step as usize;
    let beside = next_column as usize * plane.step as usize;
    let first = u32::from(above[here]) * (256 - lower) + u32::from(below[here]) * lower;
    let second = u32::from(above[beside]) * (256 - lower) + u32::from(below[beside]) * lower;
    let mixed = first * (16384 - right) + second * right;
    ((mixed + (1 << 21)) >> 22) as i32
}

fn pick(pixels: &[u8], plane: &Plane, x: i32, y: i32) -> i32 {
    let row = (y >> plane.shift_y).min(plane.rows - 1);
    let column = (x >> plane.shift_x).min(plane.columns - 1);
    pixels[row as usize * plane.stride as usize + column as usize * plane.step as usize].into()
}

fn sample(frame: &[u8], plane: &Plane, exact: i32, x: i32, y: i32) -> i32 {
    let pixels = &frame[plane.start as usize..];
    if exact != 0 {
        pick(pixels, plane, x, y)
    } else {
        mix(pixels, plane, x, y)
    }
}

fn level(value: f32) -> i32 {
    (value.clamp(0.0, 255.0) + 0.5) as i32
}

fn see(frame: &[u8], plan: &Plan, x: i32, y: i32, rgb: &mut [i32; 3]) {
    rgb[0] = sample(frame, &plan.planes[0], plan.exact, x, y);
    if plan.colours == RGB {
        rgb[1] = sample(frame, &plan.planes[1], plan.exact, x, y);
        rgb[2] = sample(frame, &plan.planes[2], plan.exact, x, y);
        return;
    }
    // Blacker than black is black.
    let luma = (rgb[0] as f32 - plan.luma_start).max(0.0) * plan.luma_scale;
    let mut u = 0.0;
    let mut v = 0.0;
    if plan.colours == YUV {
        u = (sample(frame, &plan.planes[1], plan.exact, x, y) - 128) as f32;
        v = (sample(frame, &plan.planes[2], plan.exact, x, y) - 128) as f32;
    }
    rgb[0] = level(luma + plan.red_of_v * v);
    rgb[1] = level(luma - plan.green_of_u * u - plan.green_of_v * v);
    rgb[2] = level(luma + plan.blue_of_u * u);
}

fn half_of(number: f32) -> u16 {
    let bits = number.to_bits();
    let sign = bits >> 16 & 0x8000;
    let magnitude = number.abs();
    if magnitude.is_nan() || magnitude >= 65520.0 {
        return (sign | 0x7c00) as u16;
    }
    if magnitude < 6.103_515_6e-5 {
        return (sign | (magnitude * 16_777_216.0).round_ties_even() as u32) as u16;
    }
    let shifted = bits & 0x7fff_ffff;
    let rounded = shifted + 0xfff + (shifted >> 13 & 1);
    (sign | (rounded - (112 << 23)) >> 13) as u16
}

fn write(tensor: &mut Tensor, at: usize, number: i32, value: f32) {
    if number == F32 {
        tensor[at * 4..][..4].copy_from_slice(&value.to_ne_bytes());
    } else if number == F16 {
        tensor[at * 2..][..2].copy_from_slice(&half_of(value).to_ne_bytes());
    } else {
        tensor[at] = level(value) as u8;
    }
}

fn prepare(frame: &[u8], tensor: &mut Tensor, plan: &Plan, x: i32, y: i32) {
    let inner_x = x - plan.left;
    let inner_y = y - plan.top;
    let mut rgb = [plan.padding; 3];
    if (0..plan.content_width).contains(&inner_x) && (0..plan.content_height).contains(&inner_y) {
        see(frame, plan, inner_x, inner_y, &mut rgb);
    }
    let pixels = plan.width as usize * plan.height as usize;
    let pixel = y as usize * plan.width as usize + x as usize;
    for channel in 0..3 {
        let at = if plan.interleaved != 0 {
            pixel * 3 + channel
        } else {
            pixels * channel + pixel
        };
        let seen = rgb[plan.source[channel] as usize];
        write(
            tensor,
            at,
            plan.number,
            seen as f32 * plan.scale[channel] + plan.shift[channel],
        );
    }
}

/// All pixels, one after the other.
pub(super) fn run(frame: &[u8], tensor: &mut Tensor, plan: &Plan) {
    for y in 0..plan.height {
        for x in 0..plan.width {
            prepare(frame, tensor, plan, x, y);
        }
    }
}
