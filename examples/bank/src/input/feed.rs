//! The way from a source to the clients: one reader on a thread of its own, and a bounded queue to each client. Whoever
//! is slow slows the reader; no source is ever in memory. An id goes to the same client every time.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::bad_line::{BadLine, BadLines};
use super::reader::{Line, TransferReader};
use super::{Input, InputError};
use crate::transfers::{Transfer, TransferId};
use crate::workload::mix;

/// How many transfers may wait for one client. Enough that hardly any client waits while another's queue is full; but the
/// more they are, the further the clients drift apart in the file, and the store is faster with ids in order: with 256,
/// 300,000 transfers of 256 clients took a fifth more processor time than with 32.
const QUEUE: usize = 32;
/// After how many lines the reader says where it is, if nothing else happens.
const TELL_EVERY: u64 = 1024;

/// A source that is being read.
#[derive(Debug)]
pub struct Feed {
    /// What each client gets, in the order of the source. They end when the source has ended.
    pub queues: Vec<mpsc::Receiver<Transfer>>,
    read: Arc<Mutex<Read>>,
}

/// What was read of a source so far.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// How many lines, of every kind.
    pub lines: u64,
    /// How many of them were transfers, and on their way.
    pub transfers: u64,
    /// Which were bad, and skipped.
    pub bad: BadLines,
    /// What kept the reader from coming to the end.
    pub error: Option<Arc<InputError>>,
    /// Whether the source was read to its end.
    pub ended: bool,
}

impl Feed {
    /// Begins to read for so many clients. Names the first hundred bad lines on standard error as they come.
    ///
    /// The reader ends with its source, or when a client no longer takes anything. It is not waited for: reading a
    /// terminal or a pipe may take for ever.
    ///
    /// # Errors
    /// [`InputError::Open`] or [`InputError::NoThread`]. What happens later stands in [`read`](Self::read).
    #[expect(
        clippy::disallowed_methods,
        reason = "outside of the actor system, and must not hold up its end"
    )]
    pub fn start(input: &Input, clients: u32) -> Result<Self, InputError> {
        let name = input.source.name();
        let reader = TransferReader::new(name.clone(), input.source.open()?);
        let (senders, queues) = (0..clients.max(1)).map(|_| mpsc::channel(QUEUE)).unzip();
        let read = Arc::<Mutex<Read>>::default();
        // It holds the source: what was put aside stays there while it is read.
        let pump =
            Pump { name, input: input.clone(), senders, so_far: Read::default(), shared: read.clone() };
        std::thread::Builder::new()
            .name("transfers".to_owned())
            .spawn(move || pump.run(reader))
            .map_err(InputError::NoThread)?;
        Ok(Self { queues, read })
    }

    /// What was read until now; all there was, once the queues have ended.
    pub fn read(&self) -> Read {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The reader and its clients.
struct Pump {
    name: String,
    input: Input,
    senders: Vec<mpsc::Sender<Transfer>>,
    so_far: Read,
    shared: Arc<Mutex<Read>>,
}

impl Pump {
    fn run<R: std::io::BufRead>(mut self, mut reader: TransferReader<R>) {
        let done = loop {
            let line = reader.next();
            self.so_far.lines = reader.lines();
            match line {
                None => break Ok(true),
                Some(Err(error)) => break Err(error),
                Some(Ok(Line::Bad(bad))) => {
                    if let Err(error) = self.skip(bad) {
                        break Err(error);
                    }
                }
                Some(Ok(Line::Transfer(transfer))) => {
                    let client = client_of(transfer.id, self.senders.len());
                    if self.senders[client].blocking_send(transfer).is_err() {
                        break Ok(false); // nobody wants any more
                    }
                    self.so_far.transfers += 1;
                }
            }
            if self.so_far.lines.is_multiple_of(TELL_EVERY) {
                self.tell();
            }
        };
        match done {
            Ok(ended) => self.so_far.ended = ended,
            Err(error) => self.so_far.error = Some(Arc::new(error)),
        }
        self.so_far.bad.name_the_rest(&self.name);
        // Before the queues end: whoever sees that end finds everything here.
        self.tell();
    }

    fn skip(&mut self, bad: BadLine) -> Result<(), InputError> {
        if self.input.checked {
            return Err(InputError::Changed { name: self.name.clone(), bad });
        }
        self.so_far.bad.add(bad, &self.name);
        Ok(())
    }

    fn tell(&self) {
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = self.so_far.clone();
    }
}

/// The client that asks for the transfers of this id.
pub(super) fn client_of(id: TransferId, clients: usize) -> usize {
    let hash = mix((id.0 >> 64) as u64 ^ mix(id.0 as u64));
    let clients = clients as u64;
    usize::try_from(hash % clients).expect("a remainder is smaller than the number of clients")
}
