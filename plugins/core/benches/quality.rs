//! What `qualityswitch` decides for each frame.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use livetune_core::quality::{
    Arbiter, Config, DEFAULT_LADDER, Decimator, Encoded, FrameRate, Governor, InputVideo, Ladder,
    Rendition, Selector, SelectorConfig,
};
use livetune_core::time::MediaTime;
use livetune_core::units::{Bitrate, Ratio};

fn decimate(c: &mut Criterion) {
    let mut decimator = Decimator::new();
    decimator.set_rate(FrameRate::new(25, 1));
    let mut frame = 0;
    c.bench_function("quality/decimator/frame", |b| {
        b.iter(|| {
            frame += 1;
            decimator.on_frame(black_box(MediaTime::from_nanos(frame * 33_333_333)))
        });
    });
}

fn governor() -> Governor {
    let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
    let mut governor = Governor::new(ladder, None, true, Config::default()).unwrap();
    let input = InputVideo {
        width: 1920,
        height: 1080,
        pixel_aspect: (1, 1),
        rate: FrameRate::new(30, 1),
        scalable: true,
    };
    governor.on_input(&input, MediaTime::ZERO);
    governor.on_target(Bitrate::from_kbps(5_000), MediaTime::ZERO);
    governor
}

/// All that happens to the governor for one frame: the question, the queue's fill, the time of the push.
fn decide(c: &mut Criterion) {
    let mut governor = governor();
    let mut frame = 0;
    c.bench_function("quality/governor/frame", |b| {
        b.iter(|| {
            frame += 1;
            let now = black_box(MediaTime::from_nanos(frame * 33_333_333));
            let switch = governor.on_time(now);
            governor.on_queue(Ratio::ZERO, now);
            governor.on_frame(now, now.after(Duration::from_millis(20)));
            switch
        });
    });
}

/// The same for one of thirty in a group.
fn decide_in_a_group(c: &mut Criterion) {
    let mut arbiter = Arbiter::default();
    let members: Vec<_> = (0..30).map(|n| arbiter.join(n % 3)).collect();
    let mut governors: Vec<Governor> = members.iter().map(|_| governor()).collect();
    let mut frame = 0;
    c.bench_function("quality/governor/frame/group-of-30", |b| {
        b.iter(|| {
            frame += 1;
            let now = black_box(MediaTime::from_nanos(frame * 1_111_111));
            let index = frame as usize % members.len();
            let governor = &mut governors[index];
            let switch = governor.on_time_in((&mut arbiter, members[index]), now);
            governor.on_frame(now, now.after(Duration::from_millis(20)));
            switch
        });
    });
}

fn select(c: &mut Criterion) {
    let mut selector = Selector::new(SelectorConfig::default());
    (0..3).for_each(|n| selector.add(Rendition(n)));
    selector.on_wanted(Rendition(0));
    let mut frame = 0_u64;
    c.bench_function("quality/selector/frame", |b| {
        b.iter(|| {
            frame += 1;
            let now = MediaTime::from_nanos(frame * 11_111_111);
            let key = frame.is_multiple_of(90);
            let encoded = Encoded {
                key,
                time: Some(now),
            };
            selector.on_frame(Rendition(frame as u32 % 3), black_box(encoded), now)
        });
    });
}

criterion_group!(benches, decimate, decide, decide_in_a_group, select);
criterion_main!(benches);
