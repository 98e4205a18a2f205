//! A dynamic supervisor with very many children, all of them actors that run: what each costs to start, to keep, to restart
//! and to stop among the others, and with all the others at the end; and how that grows with their number.
//! Each run has a process of its own, as in `memory.rs`. Only minder is measured: it is compared with itself.

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;

use comfy_table::Table;
use minder::prelude::*;
use minder::supervisors::Pool;

use crate::bench::runtime;
use crate::figure::{median, sorted};
use crate::memory::{WARM_UP, in_a_process, resident};
use crate::minder_subject::{Crasher, send, system};
use crate::report::table;
use crate::stopwatch::Stopwatch;
use crate::subject::{Order, Signal};

/// How many of the children are restarted, and how many others are stopped, one after the other.
const SAMPLE: usize = 1_000;

/// What is measured of each child, in the order of [`Run`].
const MEASURES: [(&str, &str); 5] = [
    ("start", "ns/child"),
    ("memory", "bytes/child"),
    ("restart of one", "ns/restart"),
    ("stop of one", "ns/stop"),
    ("stop of all", "ns/child"),
];

/// One run; where the system does not say how much memory is resident, that is no number.
type Run = [f64; MEASURES.len()];

/// Runs each number of children in turn, again and again; the first turn is not counted.
pub(crate) fn compared(children: &[usize], pairs: NonZeroUsize) -> Result<Table, Box<dyn Error>> {
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); children.len()];
    for turn in 0..=pairs.get() {
        for (&children, runs) in children.iter().zip(&mut runs) {
            eprintln!("{children} children, turn {turn} of {pairs}");
            let run = run_of(&in_a_process(&["--many", &children.to_string()])?)?;
            if turn > 0 {
                runs.push(run);
            }
        }
    }
    Ok(figures(children, &runs))
}

fn run_of(line: &str) -> Result<Run, Box<dyn Error>> {
    let values: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
    values?.try_into().map_err(|values| format!("{values:?} are not {} values", MEASURES.len()).into())
}

/// A line a measure; a column for each number of children, followed by how many times as much as before that is.
fn figures(children: &[usize], runs: &[Vec<Run>]) -> Table {
    let mut header = vec!["of".to_owned(), "unit".to_owned()];
    for (at, children) in children.iter().enumerate() {
        header.push(format!("{children} children"));
        header.extend((at > 0).then(|| "times".to_owned()));
    }
    let mut table = table(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for (measure, (what, unit)) in MEASURES.into_iter().enumerate() {
        let mut row = vec![what.to_owned(), unit.to_owned()];
        let mut before = None;
        for runs in runs {
            let values = sorted(runs.iter().map(|run| run[measure]).collect());
            let median = median(&values);
            row.push(format!("{median:.0} ({:.0} to {:.0})", values[0], values[values.len() - 1]));
            row.extend(before.map(|before: f64| format!("{:.2}", median / before)));
            before = Some(median);
        }
        table.add_row(row);
    }
    table
}

/// What the process of one run does.
pub(crate) fn answer(children: usize) -> Result<String, Box<dyn Error>> {
    let runtime = runtime()?;
    let run = runtime.block_on(runtime.spawn(measured(children)))?;
    Ok(run.map(|value| value.to_string()).join(" "))
}

async fn measured(children: usize) -> Run {
    let system = system();
    let (_warm, _, _) = pool_of(&system, WARM_UP).await;

    let before = resident();
    let watch = Stopwatch::start();
    let (pool, addresses, handled) = pool_of(&system, children).await;
    let started = watch.read();
    let bytes = match (before, resident()) {
        (Some(before), Some(after)) => after as f64 - before as f64,
        _ => f64::NAN,
    };

    let sample = SAMPLE.min(children / 2);
    let spread = |first: usize| addresses.iter().skip(first).step_by(children / sample).take(sample);
    let watch = Stopwatch::start();
    for address in spread(0) {
        send(address, Order::Crash).await;
        send(address, Order::Work).await;
        handled.wait().await;
    }
    let restarted = watch.read();

    let watch = Stopwatch::start();
    for address in spread(1) {
        pool.terminate(address).await.expect("it is one of the children");
    }
    let stopped = watch.read();

    let watch = Stopwatch::start();
    pool.root().stop(ExitReason::Shutdown).await.expect("the supervisor lives");
    let ended = watch.read();

    let each = |took: Duration, of: usize| took.as_secs_f64() * 1e9 / of as f64;
    [
        each(started, children),
        bytes / children as f64,
        each(restarted, sample),
        each(stopped, sample),
        each(ended, children - sample),
    ]
}

/// So many children under one supervisor, all up, and what they say when they have worked.
async fn pool_of(system: &System, children: usize) -> (Pool<Signal, Order>, Vec<Addr<Order>>, Signal) {
    let handled = Signal::default();
    let template = template("child", |handled: Signal| Crasher { handled });
    let tree = dynamic(&template).limit(u32::MAX, Duration::from_secs(1));
    let root = tree.start(system, "many").await.expect("it has no children yet");
    let pool = root.pool(&template);
    let mut addresses = Vec::with_capacity(children);
    for _ in 0..children {
        let address = pool.start(handled.clone()).await.expect("there is room");
        addresses.push(address.expect("it has something to run"));
    }
    (pool, addresses, handled)
}

#[test]
fn a_run_is_written_and_read() {
    assert_eq!(run_of("1 2.5 NaN 4 5\n").expect("five values")[1], 2.5);
    let error = run_of("1 2").expect_err("too few").to_string();
    assert!(error.contains("are not 5 values"), "{error}");
    let [few, many] = [[10.0, 20.0, 30.0, 40.0, 50.0], [20.0, 20.0, 15.0, 40.0, 50.0]];
    let table = figures(&[10, 100], &[vec![few; 3], vec![many; 3]]).to_string();
    let row = |what| table.lines().find(|line| line.contains(what)).expect("a line a measure").to_owned();
    assert!(row("start").contains("2.00") && row("memory").contains("1.00"), "{table}");
    assert!(row("restart of one").contains("0.50"), "{table}");
}
