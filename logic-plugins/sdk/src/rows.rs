//! The loop over the rows, in blocks of eight.

use crate::contract::Failure;
use crate::error::{RowError, row_failure};
use crate::input::BLOCK;

/// Calls `block` with the first row and the number of rows of each block.
///
/// Not inlined, so that the compiler sees the loop by itself: after all the checks of a call's parameters
/// and columns, each of which may end it, it would take the loop for code that hardly ever runs, and leave
/// the author's function out of it.
///
/// # Errors
/// The first failure of a block.
#[inline(never)]
pub fn each_block(
    rows: u32,
    mut block: impl FnMut(usize, usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let rows = rows as usize;
    let whole = rows - rows % BLOCK;
    for start in (0..whole).step_by(BLOCK) {
        block(start, BLOCK)?;
    }
    if whole < rows {
        block(whole, rows - whole)?;
    }
    Ok(())
}

/// How a block ended that starts at row `start`: what a column cannot hold comes from rows before the one
/// that could not be computed.
///
/// # Errors
/// The failure of the earliest row that has one.
#[inline(always)]
pub fn ended(
    start: usize,
    unfit: Option<(usize, Failure)>,
    error: Option<(usize, RowError)>,
) -> Result<(), Failure> {
    match (unfit, error) {
        (None, None) => Ok(()),
        (Some((_, failure)), _) => Err(failure),
        (None, Some((lane, error))) => Err(row_failure(start + lane, error)),
    }
}
