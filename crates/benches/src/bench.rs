//! What is measured, in which unit, and how much of it in one run.

use std::error::Error;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::memory;
use crate::subject::{Run, Subject};

/// Few enough that figures from small machines can be compared; the least with which sender and receiver run at once.
const WORKERS: usize = 2;

#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    /// For whoever watches the run.
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    size: Size,
    measure: Measure,
}

/// How many messages, hops, actors or crashes one run has.
#[derive(Debug)]
struct Size {
    full: u64,
    quick: u64,
}

#[derive(Debug)]
enum Measure {
    /// The time of one run, divided by its size.
    Time(fn(&dyn Subject, u64) -> Run),
    /// Resident bytes, divided by the number of actors.
    Memory { supervised: bool },
}

/// The names are those of the JSON file, and stay.
pub(crate) const BENCHES: &[Bench] = &[
    Bench {
        name: "tell",
        what: "one sender, one receiver",
        unit: "ns/message",
        size: Size { full: 1_000_000, quick: 200_000 },
        measure: Measure::Time(|subject, size| subject.tell(size)),
    },
    Bench {
        name: "fan-in-4",
        what: "four senders, one receiver",
        unit: "ns/message",
        size: Size { full: 1_000_000, quick: 200_000 },
        measure: Measure::Time(|subject, size| subject.fan_in(4, size / 4)),
    },
    Bench {
        name: "ping-pong",
        what: "one message between two",
        unit: "ns/hop",
        size: Size { full: 500_000, quick: 100_000 },
        measure: Measure::Time(|subject, size| subject.ring(2, size)),
    },
    Bench {
        name: "ring",
        what: "one message round a thousand",
        unit: "ns/hop",
        size: Size { full: 500_000, quick: 100_000 },
        measure: Measure::Time(|subject, size| subject.ring(1_000, size)),
    },
    Bench {
        name: "ask",
        what: "a question and its answer, one at a time",
        unit: "ns/ask",
        size: Size { full: 200_000, quick: 50_000 },
        measure: Measure::Time(|subject, size| subject.ask(size)),
    },
    Bench {
        name: "spawn",
        what: "until all run",
        unit: "ns/actor",
        size: Size { full: 100_000, quick: 20_000 },
        measure: Measure::Time(|subject, size| subject.spawn(in_memory(size))),
    },
    Bench {
        name: "idle-bytes",
        what: "resident memory of idle actors, unsupervised",
        unit: "bytes/actor",
        size: Size { full: 200_000, quick: 50_000 },
        measure: Measure::Memory { supervised: false },
    },
    Bench {
        name: "idle-bytes-supervised",
        what: "resident memory of idle actors, supervised",
        unit: "bytes/actor",
        size: Size { full: 200_000, quick: 50_000 },
        measure: Measure::Memory { supervised: true },
    },
    Bench {
        name: "restart-error",
        what: "an error, and the next incarnation handles",
        unit: "ns/restart",
        size: Size { full: 20_000, quick: 4_000 },
        measure: Measure::Time(|subject, size| subject.restart(size)),
    },
];

impl Bench {
    /// One run of one subject, in `unit`. `None` where this machine cannot tell.
    pub(crate) fn run(&self, subject: &dyn Subject, quick: bool) -> Result<Option<f64>, Box<dyn Error>> {
        let size = if quick { self.size.quick } else { self.size.full };
        match self.measure {
            Measure::Time(begin) => {
                // A runtime of its own, so that no run inherits tasks or queues from another.
                let runtime = runtime()?;
                let run = runtime.spawn(begin(subject, size));
                let took: Duration = runtime.block_on(run)?;
                Ok(Some(took.as_secs_f64() * 1e9 / size as f64))
            }
            Measure::Memory { supervised } => memory::ask(subject.name(), supervised, in_memory(size)),
        }
    }
}

pub(crate) fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(WORKERS).enable_time().build()
}

fn in_memory(size: u64) -> usize {
    usize::try_from(size).expect("actors that fit into memory can be counted")
}
