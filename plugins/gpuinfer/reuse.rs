//! Memory of a batch that serves the next one, whose frames live elsewhere.

/// The memory of `things`, for things of another lifetime: the standard library collects in place.
pub(super) fn emptied<A, B>(mut things: Vec<A>) -> Vec<B> {
    things.clear();
    let none = things.into_iter().map(|_| unreachable!("it is empty"));
    none.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_batch_serves_the_next() {
        let mut things: Vec<&'static str> = Vec::with_capacity(9);
        things.push("a frame");
        let place = things.as_ptr();
        let others: Vec<&str> = emptied(things);
        assert_eq!((others.len(), others.capacity()), (0, 9));
        assert_eq!(others.as_ptr(), place);
    }
}
