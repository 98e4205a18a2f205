//! The clients' way to a bank in another process: a pool of connections, each with many requests under way.
//! A connection that is lost is made anew as soon as somebody listens again; whoever waited on it is told to ask again.
//! It keeps no request beyond that: asking again, under the same id, is the client's business.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use minder::System;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};

use super::lives::Lives;
use super::wire::{Ask, Frames, Told, put};
use crate::outcomes::Answer;
use crate::transfers::Transfer;

/// How many connections there are.
const CONNECTIONS: usize = 8;
/// How many requests may wait for a connection; more clients than that wait for room.
const QUEUE: usize = 256;
/// How many requests of a connection may be under way.
const WINDOW: usize = 1024;
/// How many bytes may be unsent before no more requests are taken.
const UNSENT: usize = 64 << 10;
/// How long to wait before knocking again where nobody listens.
const KNOCK: Duration = Duration::from_millis(2);

/// Where clients ask. Clones are the same pool, which ends with the last of them.
#[derive(Clone)]
pub struct Remote {
    queues: Arc<[mpsc::Sender<Request>]>,
}

struct Request {
    transfer: Transfer,
    answer: oneshot::Sender<Answer>,
}

impl Remote {
    /// The way to whoever listens on this socket, now or later. On the caller's tokio runtime.
    pub(crate) fn new(socket: &Path, lives: &Arc<Lives>, system: &System) -> Self {
        let queues = (0..CONNECTIONS).map(|_| {
            let (queue, requests) = mpsc::channel(QUEUE);
            let (socket, lives, system) = (socket.to_owned(), lives.clone(), system.clone());
            spawn(Line { socket, requests, lives, system, next: 0 }.keep());
            queue
        });
        Self { queues: queues.collect() }
    }

    /// The answer, or `None` if there will be none: ask again. May take as long as the bank is down; the caller has
    /// the patience.
    ///
    /// # Cancel safety
    /// Dropping the future loses only the answer.
    pub async fn ask(&self, transfer: Transfer) -> Option<Answer> {
        let (answer, told) = oneshot::channel();
        let queue = &self.queues
            [transfer.id.client().wrapping_add(transfer.id.counter() as u32) as usize % CONNECTIONS];
        queue.send(Request { transfer, answer }).await.ok()?;
        told.await.ok()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({} connections)", self.queues.len())
    }
}

/// One connection of the pool, over all its lives.
struct Line {
    socket: PathBuf,
    requests: mpsc::Receiver<Request>,
    lives: Arc<Lives>,
    system: System,
    /// The number of the next request.
    next: u64,
}

impl Line {
    /// Connects again and again, until nobody asks any more.
    async fn keep(mut self) {
        while let Some((stream, life)) = self.connect().await {
            match self.converse(stream, life).await {
                Ok(()) => return,
                Err(error) => tracing::debug!(target: "bank::process", %error, "connection lost"),
            }
        }
    }

    /// A connection, and to which life of the bank; `None` when nobody asks any more.
    async fn connect(&self) -> Option<(UnixStream, u64)> {
        loop {
            let life = self.lives.current();
            match UnixStream::connect(&self.socket).await {
                // If another life has begun meanwhile, nobody knows whom this reaches.
                Ok(stream) if self.lives.current() == life => return Some((stream, life)),
                _ if self.requests.is_closed() && self.requests.is_empty() => return None,
                _ => pause().await,
            }
        }
    }

    /// Sends and receives until nobody asks any more, or the connection is of no more use. Whoever waits then is told
    /// so by the drop of `waiting`.
    async fn converse(&mut self, mut stream: UnixStream, life: u64) -> io::Result<()> {
        let (mut reader, mut writer) = stream.split();
        let (mut frames, mut unsent) = (Frames::default(), Vec::new());
        let mut waiting: HashMap<u64, oneshot::Sender<Answer>> = HashMap::new();
        loop {
            tokio::select! {
                request = self.requests.recv(), if waiting.len() < WINDOW && unsent.len() < UNSENT => {
                    let Some(Request { transfer, answer }) = request else { return Ok(()) };
                    self.next += 1;
                    put(&Ask::new(self.next, transfer), &mut unsent).map_err(io::Error::other)?;
                    waiting.insert(self.next, answer);
                }
                read = reader.read_buf(frames.room()) => {
                    if read? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    while let Some(told) = frames.next::<Told>().map_err(io::Error::other)? {
                        let Some(asker) = waiting.remove(&told.request) else {
                            return Err(io::Error::other("an answer to a request that was not made"));
                        };
                        let Some(answer) = told.says.answer() else { continue };
                        self.lives.answered(life, || self.system.now());
                        // A client that has turned away will ask again and get the same answer.
                        let _ = asker.send(answer);
                    }
                }
                written = writer.write(&unsent), if !unsent.is_empty() => drop(unsent.drain(..written?)),
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "clients live outside of the actor system, and so does their way to it"
)]
fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}

#[expect(clippy::disallowed_methods, reason = "a connection of the clients is no actor")]
async fn pause() {
    tokio::time::sleep(KNOCK).await;
}
