//! The kernel compiled for this processor, its twin, and the preprocessing that it stands for.

use std::ffi::{CString, c_void};
use std::path::Path;
use std::sync::OnceLock;

use libloading::Library;
use livetune_core::infer::{Layout, Normalisation};

use super::cases::{Case, Format, cases, normalised, plain};
use super::{compile, skip, twin};
use crate::gpuinfer::cuda::nvrtc::Nvrtc;
use crate::gpuinfer::cuda::plan::{Plan, Plane};
use crate::gpuinfer::engine::{Number, half};
use crate::gpuinfer::preprocess::{Form, Preprocessor};

type Launch = unsafe extern "C" fn(*mut *mut c_void, *const u32, *const u32);

/// The kernel as a library of this processor; `None` where there is no compiler.
fn kernel() -> Option<&'static Library> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/gpuinfer/cuda/kernel.cu");
        let define = format!("-DKERNEL=\"{}\"", source.display());
        let path = compile("kernel", include_str!("shim.cpp"), &[&define])?;
        // SAFETY: it is ours.
        let library = unsafe { Library::new(&path) }.expect("opened");
        std::fs::remove_dir_all(path.parent().expect("a folder")).expect("removed");
        Some(library)
    });
    library.as_ref()
}

/// What the twin makes of a case.
fn by_twin(case: &Case, form: &Form, number: Number) -> Vec<u8> {
    let (frame, plan) = case.plan(form, number);
    let mut tensor = vec![0xa5; case.numbers() * number.bytes()];
    twin::run(&frame, &mut tensor, &plan);
    tensor
}

#[test]
fn the_twin_makes_of_any_picture_what_the_processor_makes_of_it() {
    let mut preprocessor = Preprocessor::new();
    for layout in [Layout::Planes, Layout::Interleaved] {
        for case in cases() {
            let form = case.form(plain(layout));
            let planes = case.planes();
            let picture = case.picture(&planes);
            let mut expected = vec![0.0_f32; case.numbers()];
            let prepared = preprocessor.prepare(&form, &picture, case.region, &mut expected);
            prepared.expect("prepared");
            // yuv takes YUY2 that is not scaled with fewer bits.
            let is_coarse = matches!(case.format, Format::Yuy2);
            let most = if is_coarse { 2.0 } else { 1.0 };
            let tensor = by_twin(&case, &form, Number::F32);
            let (numbers, _) = tensor.as_chunks::<4>();
            for (at, (number, expected)) in numbers.iter().zip(&expected).enumerate() {
                let number = f32::from_ne_bytes(*number);
                let is_near = (number - expected).abs() <= most;
                assert!(is_near, "{case:?} at {at}: {number} for {expected}");
            }
        }
    }
}

#[test]
fn means_and_scales_and_kinds_of_numbers_are_those_of_the_processor() {
    for layout in [Layout::Planes, Layout::Interleaved] {
        for case in cases().iter().step_by(7) {
            let form = case.form(normalised(layout));
            let levels = by_twin(case, &case.form(levels_of(layout)), Number::F32);
            let (levels, _) = levels.as_chunks::<4>();
            let numbers = by_twin(case, &form, Number::F32);
            let (numbers, _) = numbers.as_chunks::<4>();
            let halves = by_twin(case, &form, Number::F16);
            let (halves, _) = halves.as_chunks::<2>();
            let factors = form.normalisation.factors();
            let pixels = case.numbers() / 3;
            for at in 0..case.numbers() {
                let channel = match layout {
                    Layout::Planes => at / pixels,
                    Layout::Interleaved => at % 3,
                };
                let (scale, shift) = factors[channel];
                let expected = f32::from_ne_bytes(levels[at]) * scale + shift;
                let number = f32::from_ne_bytes(numbers[at]);
                assert_eq!(number, expected, "{case:?} at {at}");
                let half = u16::from_ne_bytes(halves[at]);
                assert_eq!(half, half::from_f32(number), "{case:?} at {at}");
            }
        }
    }
}

/// The levels that [`normalised`] begins with.
fn levels_of(layout: Layout) -> Normalisation {
    Normalisation {
        mean: [0.0; 3],
        scale: [1.0; 3],
        ..normalised(layout)
    }
}

#[test]
fn bytes_are_the_levels() {
    let case = cases()[0];
    let form = case.form(plain(Layout::Interleaved));
    let numbers = by_twin(&case, &form, Number::F32);
    let (numbers, _) = numbers.as_chunks::<4>();
    let bytes = by_twin(&case, &form, Number::U8);
    let expected = numbers.iter().map(|number| f32::from_ne_bytes(*number));
    assert!(bytes.into_iter().map(f32::from).eq(expected));
}

#[test]
fn the_kernel_and_its_twin_are_the_same_to_the_bit() {
    let Some(library) = kernel() else {
        return;
    };
    // SAFETY: this is its type, in shim.cpp.
    let launch = unsafe { library.get::<Launch>(c"launch") }.expect("it is there");
    for number in [Number::F32, Number::F16, Number::U8] {
        for layout in [Layout::Planes, Layout::Interleaved] {
            for case in cases() {
                let form = case.form(normalised(layout));
                let (frame, mut plan) = case.plan(&form, number);
                let mut tensor = vec![0x5a_u8; case.numbers() * number.bytes()];
                let (mut first, mut second) = (frame.as_ptr(), tensor.as_mut_ptr());
                let mut arguments: [*mut c_void; 3] = [
                    (&raw mut first).cast(),
                    (&raw mut second).cast(),
                    (&raw mut plan).cast(),
                ];
                let threads = [32, 8];
                let blocks = [case.input.width.div_ceil(32), case.input.height.div_ceil(8)];
                // SAFETY: the plan is of this frame, and the tensor as long as it says.
                unsafe { launch(arguments.as_mut_ptr(), blocks.as_ptr(), threads.as_ptr()) };
                let expected = by_twin(&case, &form, number);
                assert!(tensor == expected, "{case:?} {number:?} {layout:?}");
            }
        }
    }
}

#[test]
fn the_kernel_and_the_plugin_agree_where_the_numbers_of_a_plan_lie() {
    use std::mem::offset_of;
    let Some(library) = kernel() else {
        return;
    };
    // SAFETY: this is its type, in shim.cpp.
    let layout = unsafe { library.get::<*const [usize; 10]>(c"layout") }.expect("it is there");
    // SAFETY: as above.
    let layout = unsafe { **layout };
    let expected = [
        size_of::<Plane>(),
        offset_of!(Plane, stride),
        offset_of!(Plane, shift_y),
        size_of::<Plan>(),
        offset_of!(Plan, exact),
        offset_of!(Plan, interleaved),
        offset_of!(Plan, source),
        offset_of!(Plan, luma_scale),
        offset_of!(Plan, scale),
        offset_of!(Plan, shift),
    ];
    assert_eq!(layout, expected);
}

#[test]
fn nvidias_compiler_takes_the_kernel() {
    gst::init().expect("GStreamer starts");
    let brought = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nvrtc/libnvrtc.so");
    let nvrtc = Nvrtc::open_one_of(&[brought]).or_else(|_| Nvrtc::open());
    let nvrtc = match nvrtc {
        Ok(nvrtc) => nvrtc,
        Err(why) => return skip(&format!("{why}, or make nvrtc")),
    };
    let source = CString::new(include_str!("../kernel.cu")).expect("no zero");
    for architecture in [75, 86, 90] {
        let image = nvrtc.build(&source, architecture).expect("built");
        assert!(image.starts_with(b"\x7fELF"), "{architecture}");
    }
    // Newer than it knows: assembly for an older one, which the driver translates.
    let image = nvrtc.build(&source, 999).expect("built");
    assert!(image.windows(7).any(|words| words == b".target"));
    assert_eq!(image.last(), Some(&0));
    let wrong = c"extern \"C\" __global__ void livetune_prepare( { }";
    let why = nvrtc.build(wrong, 75).expect_err("refused");
    assert!(why.contains("kernel.cu"), "{why}");
}
