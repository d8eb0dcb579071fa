//! Parts of a frame on their way to the network and back, in memory that is used again.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use livetune_core::infer::Region;

use crate::runtime::lock::lock;

/// Lists that are kept to be filled again: those of all frames that wait, run or are read.
const SPARE: usize = 256;

/// Parts of a frame. Its memory goes back to where it was taken from.
#[derive(Debug, Default)]
pub(in crate::gpuinfer) struct Regions {
    list: Vec<Region>,
    shelf: Option<Arc<Shelf>>,
}

/// Where lists lie that nobody needs.
#[derive(Debug, Default)]
pub(in crate::gpuinfer) struct Shelf(Mutex<Vec<Vec<Region>>>);

impl Regions {
    /// None, with room for more from `shelf`.
    pub(in crate::gpuinfer) fn from(shelf: &Arc<Shelf>) -> Self {
        let list = lock(&shelf.0).pop().unwrap_or_default();
        let shelf = Some(shelf.clone());
        Self { list, shelf }
    }

    pub(in crate::gpuinfer) const fn list_mut(&mut self) -> &mut Vec<Region> {
        &mut self.list
    }
}

impl Deref for Regions {
    type Target = [Region];

    fn deref(&self) -> &[Region] {
        &self.list
    }
}

impl Drop for Regions {
    fn drop(&mut self) {
        let Some(shelf) = &self.shelf else { return };
        let mut list = std::mem::take(&mut self.list);
        list.clear();
        let mut spare = lock(&shelf.0);
        if spare.len() < SPARE {
            spare.push(list);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_one_frame_serves_the_next() {
        let shelf = Arc::<Shelf>::default();
        let mut regions = Regions::from(&shelf);
        regions.list_mut().push(Region::default());
        let place = regions.as_ptr();
        drop(regions);
        let mut again = Regions::from(&shelf);
        assert!(again.is_empty(), "those of before are in it");
        again.list_mut().push(Region::default());
        assert_eq!(again.as_ptr(), place);
        assert!(Regions::default().is_empty());
    }
}
