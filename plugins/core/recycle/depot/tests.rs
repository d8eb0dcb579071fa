//! The depot in virtual time, against a model that keeps everything in plain lists.

use proptest::prelude::*;

use super::*;
use crate::units::Ratio;

const PAGE: u64 = 4096;
const IDLE: Duration = Duration::from_secs(2);

fn depot() -> Depot<u32> {
    Depot::new(SizeClass::holding(1_000_000).unwrap())
}

fn at(millis: u64) -> MediaTime {
    MediaTime::from_millis(millis)
}

#[test]
fn the_block_used_last_is_lent_first() {
    let mut depot = depot();
    (0..3).for_each(|_| assert_eq!(depot.take(1), None));
    (0..3).for_each(|block| depot.put(block, PAGE, at(u64::from(block))));
    assert_eq!(depot.take(1), Some(2));
    assert_eq!(depot.take(1), Some(1));
    assert_eq!((depot.tally().hits, depot.tally().misses), (2, 3));
    assert_eq!(depot.tally().hit_ratio(), Ratio::new(0.4));
}

#[test]
fn a_block_is_lent_only_where_its_address_is_aligned_enough() {
    let mut depot = depot();
    depot.add(1, 1 << 21, at(0));
    depot.add(2, PAGE, at(0));
    assert_eq!(depot.take(1 << 20), Some(1));
    assert_eq!(depot.take(1 << 20), None);
    assert_eq!(depot.take(PAGE), Some(2));
}

#[test]
fn what_is_used_again_and_again_stays_and_the_rest_goes() {
    let mut depot = depot();
    (0..60).for_each(|block| depot.add(block, PAGE, at(0)));
    for frame in 0..100 {
        let now = at(frame * 40);
        let block = depot.take(PAGE).unwrap();
        depot.put(block, PAGE, now);
        let trimmed = depot.on_time(IDLE, now);
        assert_eq!(trimmed.is_empty(), now != at(2000), "frame {frame}");
    }
    assert_eq!(depot.pooled(), 1);
    assert_eq!(depot.tally().trimmed_bytes, 59 * depot.block_bytes());
    assert_eq!(depot.on_time(IDLE, at(100_000)), [59]);
    assert_eq!(depot.oldest(), None);
}

#[test]
fn what_is_evicted_is_the_oldest_and_is_counted() {
    let mut depot = depot();
    assert_eq!(depot.evict(), None);
    depot.add(1, PAGE, at(1));
    depot.add(2, PAGE, at(2));
    assert_eq!(depot.oldest(), Some(at(1)));
    assert_eq!(depot.evict(), Some(1));
    assert_eq!(depot.tally().evicted_bytes, depot.block_bytes());
    assert_eq!(depot.oldest(), Some(at(2)));
}

#[test]
fn a_block_that_could_not_be_made_is_not_in_use() {
    let mut depot = depot();
    assert_eq!(depot.take(1), None);
    assert_eq!(depot.tally().outstanding_bytes, depot.block_bytes());
    depot.on_not_made();
    assert_eq!(depot.tally().outstanding, 0);
}

#[derive(Clone, Debug)]
enum Step {
    Take { alignment: u64 },
    Put { which: usize },
    Add { alignment: u64 },
    Evict,
    Time,
}

fn step() -> impl Strategy<Value = Step> {
    let alignment = || (12_u32..22).prop_map(|log2| 1_u64 << log2);
    prop_oneof![
        4 => (0_u32..22).prop_map(|log2| Step::Take { alignment: 1 << log2 }),
        4 => any::<usize>().prop_map(|which| Step::Put { which }),
        1 => alignment().prop_map(|alignment| Step::Add { alignment }),
        1 => Just(Step::Evict),
        2 => Just(Step::Time),
    ]
}

/// A block and its alignment.
type Block = (u32, u64);

/// What is true of the depot's blocks, kept the slow way.
#[derive(Default)]
struct Model {
    made: u32,
    lent: Vec<Block>,
    free: Vec<(Block, MediaTime)>,
    returned: u64,
}

impl Model {
    fn make(&mut self, alignment: u64) -> Block {
        self.made += 1;
        (self.made, alignment)
    }

    fn take(&mut self, depot: &mut Depot<Block>, alignment: u64) {
        let expected = self.free.iter().rposition(|free| free.0.1 >= alignment);
        let expected = expected.map(|at| self.free.remove(at).0);
        let taken = depot.take(alignment);
        assert_eq!(taken, expected);
        let block = taken.unwrap_or_else(|| self.make(alignment.max(PAGE)));
        assert!(block.1 >= alignment);
        self.lent.push(block);
    }

    fn put(&mut self, depot: &mut Depot<Block>, which: usize, now: MediaTime) {
        if !self.lent.is_empty() {
            let block = self.lent.swap_remove(which % self.lent.len());
            depot.put(block, block.1, now);
            self.free.push((block, now));
        }
    }

    fn act(&mut self, depot: &mut Depot<Block>, step: &Step, now: MediaTime) {
        match *step {
            Step::Take { alignment } => self.take(depot, alignment),
            Step::Put { which } => self.put(depot, which, now),
            Step::Add { alignment } => {
                let block = self.make(alignment);
                depot.add(block, alignment, now);
                self.free.push((block, now));
            }
            Step::Evict => {
                let oldest = (!self.free.is_empty()).then(|| self.free.remove(0).0);
                assert_eq!(depot.evict(), oldest);
                self.returned += u64::from(oldest.is_some());
            }
            Step::Time => {
                let trimmed = depot.on_time(IDLE, now);
                let idle = |free: &(Block, MediaTime)| now.since(free.1) >= IDLE;
                let expected: Vec<_> = self.free.extract_if(.., |free| idle(free)).collect();
                assert_eq!(trimmed, expected.iter().map(|it| it.0).collect::<Vec<_>>());
                self.returned += trimmed.len() as u64;
            }
        }
    }
}

proptest! {
    #[test]
    fn no_block_is_lost_lent_twice_or_kept_too_long(
        steps in prop::collection::vec((step(), 0_u64..700), 0..300)
    ) {
        let mut depot = Depot::new(SizeClass::holding(1_000_000).unwrap());
        let (mut model, mut now) = (Model::default(), MediaTime::ZERO);
        for (step, pause) in steps {
            now = now.after(Duration::from_millis(pause));
            model.act(&mut depot, &step, now);
            let tally = depot.tally();
            prop_assert_eq!(tally.outstanding, model.lent.len() as u64);
            prop_assert_eq!(tally.pooled, model.free.len() as u64);
            prop_assert_eq!(tally.pooled_bytes, tally.pooled * depot.block_bytes());
            let returned = (tally.trimmed_bytes + tally.evicted_bytes) / depot.block_bytes();
            prop_assert_eq!(returned, model.returned);
            prop_assert_eq!(depot.oldest(), model.free.first().map(|free| free.1));
            // Every block that was made is in use, lies free, or was given back.
            let all = tally.outstanding + tally.pooled + model.returned;
            prop_assert_eq!(all, u64::from(model.made));
        }
    }
}
