//! Pairs rows with columns so that the sum of what the pairs are worth is the greatest: the Hungarian method, by
//! shortest augmenting paths (R. Jonker, A. Volgenant 1987, <https://doi.org/10.1007/BF02278710>).
//!
//! Not the greedy choice of the best pair first: where two boxes come close it takes one object's detection for the
//! other and leaves that with nothing, just when ids are at stake.

/// What each pair is worth, row by row; nothing where they do not fit. Its buffers are reused.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    rows: usize,
    columns: usize,
    worth: Vec<f32>,
    /// The column of each row, and the row of each column.
    partner: Vec<Option<usize>>,
    owner: Vec<Option<usize>>,
    /// What rows and columns are reckoned at, so that what is left of a pair's worth is never negative.
    row_price: Vec<f32>,
    column_price: Vec<f32>,
    /// Of each column: the shortest path that leads there so far, the row it comes from, and whether that is final.
    reach: Vec<f32>,
    came_from: Vec<usize>,
    is_final: Vec<bool>,
}

impl Assignment {
    /// Starts over, with pairs of `rows` and `columns` that are worth nothing.
    pub(super) fn reset(&mut self, rows: usize, columns: usize) {
        (self.rows, self.columns) = (rows, columns);
        refill(&mut self.worth, rows * columns, 0.0);
    }

    /// Says what the pair is worth.
    pub(super) fn set(&mut self, row: usize, column: usize, worth: f32) {
        self.worth[row * self.columns + column] = worth;
    }

    /// The best pairs, of a row and a column each; none that is worth nothing.
    pub(super) fn solve(&mut self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let (rows, columns) = (self.rows, self.columns);
        refill(&mut self.partner, rows, None);
        refill(&mut self.owner, columns, None);
        refill(&mut self.column_price, columns, 0.0);
        self.row_price.clear();
        let best = |row: &[f32]| row.iter().copied().fold(0.0, f32::max);
        if columns > 0 {
            self.row_price
                .extend(self.worth.chunks_exact(columns).map(best));
            (0..rows).for_each(|row| self.place(row));
        }
        let pairs = self.partner.iter().enumerate();
        pairs.filter_map(|(row, column)| Some((row, (*column)?)))
    }

    /// What a pair lacks to the best that could be hoped for.
    fn lack(&self, row: usize, column: usize) -> f32 {
        let worth = self.worth[row * self.columns + column];
        self.row_price[row] + self.column_price[column] - worth
    }

    /// Finds a place for `row`, or for a row that gives way to it: perhaps none, which is worth nothing.
    fn place(&mut self, row: usize) {
        let columns = self.columns;
        refill(&mut self.reach, columns, f32::INFINITY);
        refill(&mut self.came_from, columns, row);
        refill(&mut self.is_final, columns, false);
        let (mut from, mut length) = (row, 0.0);
        // The cheapest way to leave some row with nothing: that row, the column it gives up, and the cost.
        let mut idle = (row, None, self.row_price[row]);
        let end = loop {
            for column in 0..columns {
                let worth = self.worth[from * columns + column];
                let reach = length + self.lack(from, column);
                if !self.is_final[column] && worth > 0.0 && reach < self.reach[column] {
                    (self.reach[column], self.came_from[column]) = (reach, from);
                }
            }
            let open = (0..columns).filter(|column| !self.is_final[*column]);
            let nearest = open.min_by(|a, b| self.reach[*a].total_cmp(&self.reach[*b]));
            let Some(column) = nearest.filter(|column| self.reach[*column] < idle.2) else {
                length = idle.2;
                break idle.1;
            };
            length = self.reach[column];
            self.is_final[column] = true;
            let Some(owner) = self.owner[column] else {
                break Some(column);
            };
            from = owner;
            if length + self.row_price[owner] < idle.2 {
                idle = (owner, Some(column), length + self.row_price[owner]);
            }
        };
        self.reprice(row, length);
        self.rotate(row, end);
    }

    /// Keeps all lacks at nought or above, and those along the path at nought.
    fn reprice(&mut self, row: usize, length: f32) {
        self.row_price[row] -= length;
        for column in 0..self.columns {
            if self.is_final[column] && self.reach[column] < length {
                let slack = length - self.reach[column];
                self.column_price[column] += slack;
                if let Some(owner) = self.owner[column] {
                    self.row_price[owner] -= slack;
                }
            }
        }
    }

    /// Gives the column `end` to the row its path comes from, that row's to the one before, and so on to `row`.
    fn rotate(&mut self, row: usize, end: Option<usize>) {
        let Some(mut column) = end else {
            return;
        };
        if let Some(loser) = self.owner[column] {
            self.partner[loser] = None;
        }
        loop {
            let taker = self.came_from[column];
            self.owner[column] = Some(taker);
            let before = self.partner[taker].replace(column);
            match before {
                Some(before) if taker != row => column = before,
                _ => break,
            }
        }
    }
}

fn refill<T: Clone>(values: &mut Vec<T>, length: usize, value: T) {
    values.clear();
    values.resize(length, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn solve(worth: &[Vec<f32>]) -> Vec<(usize, usize)> {
        let mut assignment = Assignment::default();
        assignment.reset(worth.len(), worth.first().map_or(0, Vec::len));
        for (row, worths) in worth.iter().enumerate() {
            for (column, worth) in worths.iter().enumerate() {
                assignment.set(row, column, *worth);
            }
        }
        assignment.solve().collect()
    }

    /// The greatest sum, by trying everything.
    fn greatest(worth: &[Vec<f32>], taken: u32) -> f32 {
        let Some((first, rest)) = worth.split_first() else {
            return 0.0;
        };
        let with = (0..first.len())
            .filter(|column| taken & (1 << column) == 0)
            .map(|column| first[column] + greatest(rest, taken | (1 << column)));
        with.fold(greatest(rest, taken), f32::max)
    }

    #[test]
    fn the_best_pair_gives_way_where_the_whole_gains() {
        let worth = [vec![0.9, 0.8], vec![0.7, 0.0]];
        assert_eq!(solve(&worth), [(0, 1), (1, 0)]);
    }

    #[test]
    fn the_best_pair_stays_where_giving_way_would_lose() {
        let worth = [vec![0.7, 0.05], vec![0.05, 0.0]];
        assert_eq!(solve(&worth), [(0, 0)]);
    }

    #[test]
    fn nothing_pairs_with_nothing() {
        assert!(solve(&[]).is_empty());
        assert!(solve(&[vec![], vec![]]).is_empty());
        assert!(solve(&[vec![0.0, 0.0]]).is_empty());
    }

    proptest! {
        #[test]
        fn no_other_choice_is_worth_more(
            (rows, columns) in (0_usize..6, 0_usize..6),
            numbers in prop::collection::vec(-1.0_f32..1.0, 36),
        ) {
            let worth: Vec<Vec<f32>> = (0..rows)
                .map(|row| (0..columns).map(|column| numbers[row * 6 + column].max(0.0)).collect())
                .collect();
            let pairs = solve(&worth);
            let sum: f32 = pairs.iter().map(|(row, column)| worth[*row][*column]).sum();
            prop_assert!((sum - greatest(&worth, 0)).abs() < 1e-4, "{sum} of {}", greatest(&worth, 0));
            for (at, (row, column)) in pairs.iter().enumerate() {
                prop_assert!(worth[*row][*column] > 0.0);
                prop_assert!(pairs[..at].iter().all(|other| other.0 != *row && other.1 != *column));
            }
        }
    }
}
