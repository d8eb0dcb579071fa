//! Outputs that nobody here makes sense of: handed on as they are.

use super::super::found::Found;
use super::super::thresholds::Thresholds;
use super::output::{Output, WrongLength};
use super::{Known, Reader, Scratch};

#[derive(Debug)]
struct Raw;

pub(super) fn known() -> Known {
    Known {
        classes: None,
        ..Known::of(0, Raw)
    }
}

impl Reader for Raw {
    fn read(
        &self,
        outputs: &[Output<'_>],
        _: &Thresholds,
        _: &mut Scratch,
        found: &mut Found,
    ) -> Result<(), WrongLength> {
        for output in outputs {
            found.add_tensor(output.name, output.shape, output.data);
        }
        Ok(())
    }
}
