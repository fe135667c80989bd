//! Figures: latencies, medians, and how they are printed.

use std::time::Duration;

/// Latencies of single calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Latencies(Vec<u32>);

impl Latencies {
    /// Adds one, in whole microseconds.
    pub(super) fn add(&mut self, latency: Duration) {
        self.0.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Takes in others.
    pub(super) fn merge(&mut self, others: Latencies) {
        self.0.extend(others.0);
    }

    /// The latency in milliseconds that a share of the calls did not exceed; 0 if there were none.
    pub(super) fn percentile(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // an index within the list
        let index = (last as f64 * share).round() as usize;
        f64::from(self.0.get(index).copied().unwrap_or(0)) / 1_000.0
    }
}

/// The value in the middle; 0 of none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
