//! The child's door: so many slots under supervision, each serving one connection after the other. A slot that crashes
//! takes its connection with it and nothing else: its clients connect anew and ask again under the same ids.
//!
//! Bounds: [`SLOTS`] connections (more wait to be accepted); per connection about [`WINDOW`] requests in hand and
//! [`UNSENT`] bytes of answers, beyond which nothing more is read. A client that sends nothing keeps its slot: the
//! socket is for the parent process alone.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::AutoShutdown;
use minder_codec::EncodeError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::points::{KillPoints, Point};
use super::wire::{Ask, FrameError, Frames, Says, Told, put};
use crate::service::GatewayMsg;

/// How many connections are served at a time.
const SLOTS: usize = 16;
/// How many requests of a connection may be in hand before no more is read; one read may go beyond.
const WINDOW: usize = 256;
/// How many bytes of answers may be unsent before no more is read.
const UNSENT: usize = 64 << 10;
/// How long the gateway may take before the client is told to ask again.
const PATIENCE: Duration = Duration::from_secs(2);

/// What every slot has.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) listener: Arc<UnixListener>,
    pub(crate) gateway: Addr<GatewayMsg>,
    pub(crate) points: Arc<KillPoints>,
    /// True once no request is to be read any more.
    pub(crate) draining: watch::Receiver<bool>,
}

impl Door {
    /// The slots as a tree. It ends by itself when it has been drained.
    pub(crate) fn tree(&self) -> Spec {
        let slots = (0..SLOTS).map(|number| {
            let door = self.clone();
            task(&format!("connection-{number}"), move || door.clone().serve())
                .restart(Restart::Transient)
                .significant(true)
        });
        one_for_one()
            .limit(100, Duration::from_secs(10))
            .auto_shutdown(AutoShutdown::AllSignificant)
            .children(slots)
    }

    /// One slot: connections, one after the other.
    async fn serve(self) -> io::Result<()> {
        loop {
            let stream = tokio::select! {
                biased;
                () = drained(self.draining.clone()) => return Ok(()),
                accepted = self.listener.accept() => accepted?.0,
            };
            match self.converse(stream).await {
                Ok(()) => {}
                Err(ConnectionError::Io(error)) => {
                    tracing::debug!(target: "bank::process", %error, "connection lost");
                }
                Err(error) => tracing::error!(target: "bank::process", %error, "connection closed"),
            }
        }
    }

    /// One connection, until the client leaves or the door is drained; what is in hand is answered first.
    async fn converse(&self, mut stream: UnixStream) -> Result<(), ConnectionError> {
        let (mut reader, mut writer) = stream.split();
        let (mut frames, mut in_hand, mut unsent) = (Frames::default(), InHand::default(), Vec::new());
        let mut reading = true;
        while reading || !in_hand.0.is_empty() || !unsent.is_empty() {
            tokio::select! {
                read = reader.read_buf(frames.room()),
                    if reading && in_hand.0.len() < WINDOW && unsent.len() < UNSENT =>
                {
                    if read? == 0 {
                        frames.end()?;
                        reading = false;
                    }
                    while let Some(ask) = frames.next::<Ask>()? {
                        self.points.reach(Point::Arrival);
                        in_hand.push(ask, self.gateway.clone());
                    }
                }
                answers = in_hand.settled(), if !in_hand.0.is_empty() => {
                    for told in answers {
                        self.points.reach(Point::Answer);
                        put(&told, &mut unsent)?;
                        self.points.served();
                    }
                }
                written = writer.write(&unsent), if !unsent.is_empty() => drop(unsent.drain(..written?)),
                () = drained(self.draining.clone()), if reading => reading = false,
            }
        }
        Ok(())
    }
}

/// Resolves once the door is to be drained, or nobody is there any more to say so.
async fn drained(mut draining: watch::Receiver<bool>) {
    let _ = draining.wait_for(|draining| *draining).await;
}

type Answering = Pin<Box<dyn Future<Output = Says> + Send>>;

/// The requests of a connection that have no answer yet, by their numbers.
#[derive(Default)]
struct InHand(Vec<(u64, Answering)>);

impl InHand {
    fn push(&mut self, ask: Ask, gateway: Addr<GatewayMsg>) {
        let transfer = ask.transfer();
        let answering = async move {
            let asked = gateway.ask_within(PATIENCE, |reply| GatewayMsg::Transfer(transfer, reply)).await;
            asked.map_or(Says::AskAgain, Says::from)
        };
        self.0.push((ask.request, Box::pin(answering)));
    }

    /// Whatever is settled by now, at least one. Looks at all of them each time: they are few, and mostly settled
    /// together by one commit.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has taken nothing.
    async fn settled(&mut self) -> Vec<Told> {
        poll_fn(|cx| {
            let mut settled = Vec::new();
            self.0.retain_mut(|(request, answering)| match answering.as_mut().poll(cx) {
                Poll::Ready(says) => {
                    settled.push(Told { request: *request, says });
                    false
                }
                Poll::Pending => true,
            });
            if settled.is_empty() { Poll::Pending } else { Poll::Ready(settled) }
        })
        .await
    }
}

/// Why a connection was closed.
#[derive(Debug)]
enum ConnectionError {
    Io(io::Error),
    Frame(FrameError),
    Encode(EncodeError),
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Frame(error) => error.fmt(f),
            Self::Encode(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for ConnectionError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<FrameError> for ConnectionError {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl From<EncodeError> for ConnectionError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

#[cfg(test)]
mod tests;
