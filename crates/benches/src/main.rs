//! minder's figures, side by side with bare tokio tasks and channels, interleaved in one run.
//! What is measured stands in `bench.rs`, on whom in `subject.rs`, and what must be reached in `bars.rs`.
//! Says by how much a bar is missed, and exits with 0 all the same: figures of a busy machine are no verdict.

mod bars;
mod bench;
mod figure;
mod many;
mod memory;
mod minder_subject;
mod report;
mod stopwatch;
mod subject;
mod tokio_subject;

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::bench::{BENCHES, Bench};
use crate::subject::{Subject, subjects};

/// Measures minder beside bare tokio, one run of each in turn, and compares medians with the bars that the design sets.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Smaller runs: seconds instead of minutes, and wider margins.
    #[arg(long)]
    quick: bool,

    /// Write the figures to this file: an array of bench, subject, unit, median, min, max, runs.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Measure only this; may be given several times, or as a list with commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = PossibleValuesParser::new(BENCHES.iter().map(|bench| bench.name)))]
    only: Vec<String>,

    /// Run only this subject, for a profiler; may be given several times, or as a list with commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    subject: Vec<String>,

    /// How many times each subject runs each bench, in turn with the others.
    #[arg(long, value_name = "N", default_value = "11")]
    pairs: NonZeroUsize,

    /// Measure this instead: dynamic supervisors with so many children, and how the cost of each grows with their number.
    #[arg(long, value_name = "N", num_args = 0.., value_delimiter = ',', default_missing_values = ["10000", "100000", "1000000"], value_parser = clap::value_parser!(u32).range(10..), conflicts_with_all = ["quick", "json", "only", "subject"])]
    children: Option<Vec<u32>>,

    /// What the process does that measures one dynamic supervisor: see `many.rs`.
    #[arg(long, hide = true, value_name = "CHILDREN")]
    many: Option<usize>,

    /// What the process does that measures idle memory: see `memory.rs`.
    #[arg(long, hide = true, num_args = 3, value_names = ["SUBJECT", "SUPERVISED", "ACTORS"])]
    idle: Option<Vec<String>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let subjects = subjects();
    if let Some(request) = &options.idle {
        println!("{}", memory::answer(request, &subjects)?);
        return Ok(());
    }
    if let Some(children) = options.many {
        println!("{}", many::answer(children)?);
        return Ok(());
    }
    if let Some(children) = &options.children {
        let children: Vec<usize> = children.iter().map(|&children| children as usize).collect();
        println!("{}", many::compared(&children, options.pairs)?);
        return Ok(());
    }

    let subjects: Vec<&dyn Subject> = subjects
        .into_iter()
        .filter(|subject| {
            options.subject.is_empty() || options.subject.iter().any(|name| name == subject.name())
        })
        .collect();
    let wanted =
        |bench: &&Bench| options.only.is_empty() || options.only.iter().any(|name| name == bench.name);
    let mut figures = Vec::new();
    for bench in BENCHES.iter().filter(wanted) {
        eprintln!("{}: {}", bench.name, bench.what);
        figures.extend(figure::interleaved(bench, &subjects, options.pairs, options.quick)?);
    }

    if let Some(path) = &options.json {
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer_pretty(&mut file, &figures)?;
        writeln!(file)?;
        file.flush()?;
    }
    let names: Vec<&str> = subjects.iter().map(|subject: &&dyn Subject| subject.name()).collect();
    println!("{}", report::figures(&figures, &names));
    println!("{}", report::bars(&figures));
    Ok(())
}
