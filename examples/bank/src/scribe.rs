//! Writes the history while the clients work: what each was told, in the order in which they tell, and how long they
//! waited. One task formats, and whatever is due is put into the file where that may block; so a client waits only while
//! a few thousand notes stand before its own. Keeps no note: one histogram for all clients, whatever their number.

use std::io;
use std::path::Path;

use hdrhistogram::Histogram;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::clients::Note;
use crate::history::HistoryWriter;
use crate::run::{RunError, spawn};

/// How many notes may wait to be written down.
const WAITING: usize = 4096;
/// How many are taken at once.
const AT_ONCE: usize = 256;

/// Writes a history, beside whoever sends to it.
#[derive(Debug)]
pub(crate) struct Scribe {
    pub(crate) notes: mpsc::Sender<Note>,
    writing: JoinHandle<io::Result<Written>>,
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// Microseconds from a client's first asking to its answer.
    pub(crate) latency_us: Histogram<u64>,
}

impl Scribe {
    /// Begins a history in this file.
    pub(crate) fn start(path: &Path) -> Result<Self, RunError> {
        let writer =
            HistoryWriter::create(path).map_err(|error| RunError::History(path.to_owned(), error))?;
        let (notes, waiting) = mpsc::channel(WAITING);
        Ok(Self { notes, writing: spawn(write(writer, waiting)) })
    }

    /// Writes to the end, as soon as nobody can send any more.
    pub(crate) async fn finish(self, path: &Path) -> Result<Written, RunError> {
        drop(self.notes);
        let written = self.writing.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|error| RunError::History(path.to_owned(), error))
    }
}

async fn write(mut writer: HistoryWriter, mut waiting: mpsc::Receiver<Note>) -> io::Result<Written> {
    let mut latency_us = Histogram::new(3).expect("three digits are a precision that histograms have");
    let mut notes = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut notes, AT_ONCE).await > 0 {
        for Note { transfer, answer, took } in notes.drain(..) {
            writer.record(&transfer, &answer)?;
            // Refused is only what no histogram can hold: 584,000 years.
            let _ = latency_us.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
        if writer.is_due() {
            writer = blocking(move || writer.write_out().map(|()| writer)).await?;
        }
    }
    blocking(move || writer.finish()).await?;
    Ok(Written { latency_us })
}

#[expect(clippy::disallowed_methods, reason = "the history is kept outside of the actor system")]
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
