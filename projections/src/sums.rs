//! Sums of amounts that refuse what no amount can hold, instead of stopping at the bounds.

use crate::fact::Problem;
use viral_domain::Vcoin;

/// Adds to an amount.
pub(crate) fn add(sum: &mut Vcoin, amount: Vcoin) -> Result<(), Problem> {
    *sum = Vcoin(sum.0.checked_add(amount.0).ok_or_else(|| beyond(*sum, amount))?);
    Ok(())
}

/// Takes from an amount; the rest may be below zero.
pub(crate) fn subtract(sum: &mut Vcoin, amount: Vcoin) -> Result<(), Problem> {
    *sum = Vcoin(sum.0.checked_sub(amount.0).ok_or_else(|| beyond(*sum, amount))?);
    Ok(())
}

fn beyond(sum: Vcoin, amount: Vcoin) -> Problem {
    Problem(format!(
        "{sum} and {amount} are together beyond the bounds of an amount"
    ))
}
