//! From runs to figures: every subject in turn, again and again, and then the median with the least and the most.
//! Interleaved, because a machine that slows down for a while must slow down all of them.

use std::error::Error;
use std::num::NonZeroUsize;

use serde::Serialize;

use crate::bench::Bench;
use crate::subject::Subject;

/// One line of the JSON file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    pub(crate) bench: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) runs: usize,
}

/// Runs the bench with all subjects in turn; the first turn is not counted.
pub(crate) fn interleaved(
    bench: &Bench,
    subjects: &[&'static dyn Subject],
    pairs: NonZeroUsize,
    quick: bool,
) -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut runs = vec![Vec::new(); subjects.len()];
    for turn in 0..=pairs.get() {
        for (subject, runs) in subjects.iter().zip(&mut runs) {
            if let Some(value) = bench.run(*subject, quick)?
                && turn > 0
            {
                runs.push(value);
            }
        }
    }
    let figures = subjects.iter().zip(runs).filter(|(_, runs)| !runs.is_empty());
    Ok(figures.map(|(subject, runs)| summary(bench, subject.name(), runs)).collect())
}

fn summary(bench: &Bench, subject: &'static str, runs: Vec<f64>) -> Figure {
    let runs = sorted(runs);
    let tenths = |value: f64| (value * 10.0).round() / 10.0;
    Figure {
        bench: bench.name,
        subject,
        unit: bench.unit,
        median: tenths(median(&runs)),
        min: tenths(runs[0]),
        max: tenths(runs[runs.len() - 1]),
        runs: runs.len(),
    }
}

pub(crate) fn sorted(mut runs: Vec<f64>) -> Vec<f64> {
    runs.sort_by(f64::total_cmp);
    runs
}

/// Of sorted values, at least one.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[test]
fn the_median_is_the_middle() {
    let rows: [(&[f64], f64); 4] =
        [(&[3.0], 3.0), (&[1.0, 2.0], 1.5), (&[1.0, 2.0, 9.0], 2.0), (&[1.0, 2.0, 4.0, 9.0], 3.0)];
    for (sorted, expected) in rows {
        assert_eq!(median(sorted), expected, "{sorted:?}");
    }
}
