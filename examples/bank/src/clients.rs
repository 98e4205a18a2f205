//! The clients: outside of the bank, and outside of its faults. Each sends one transfer at a time and sends it again,
//! under the same id, until it has an answer; then it writes down what it was told.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use minder::{Addr, Moment, System};
use tokio::sync::{mpsc, watch};

use crate::outcomes::{Answer, Outcome, Refusal};
use crate::process::Remote;
use crate::service::GatewayMsg;
use crate::transfers::Transfer;
use crate::workload::{ClientWorkload, Expected, Item, MEMORY};

/// How long a client waits for an answer before it asks again.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it waits after it was told that there will be none.
const PAUSE: Duration = Duration::from_millis(2);

/// What all clients share.
#[derive(Clone, Debug)]
pub struct Door {
    /// Where they ask.
    pub desk: Desk,
    /// Whose clock they use.
    pub system: System,
    /// Where they write down what they were told.
    pub history: mpsc::Sender<Note>,
    /// How many answers there were.
    pub answered: Arc<AtomicU64>,
    /// How often somebody asked again.
    pub asked_again: Arc<AtomicU64>,
    /// True once the door is closing: nobody begins anything new, and what was begun is finished.
    pub closing: watch::Receiver<bool>,
    /// When nobody begins anything new, if the run has an end in time.
    pub until: Option<Moment>,
}

/// What a client was told, and how long it took.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// What it asked for.
    pub transfer: Transfer,
    /// What it was told.
    pub answer: Answer,
    /// From first asking to the answer.
    pub took: Duration,
}

/// Where clients ask.
#[derive(Clone, Debug)]
pub enum Desk {
    /// The bank is in this process.
    Here(Addr<GatewayMsg>),
    /// The bank is a process of its own.
    Elsewhere(Remote),
}

impl Desk {
    /// The answer; `None` if there is none in time, or will be none: ask again.
    async fn ask(&self, transfer: Transfer) -> Option<Answer> {
        match self {
            Self::Here(gateway) => {
                gateway.ask_within(PATIENCE, |reply| GatewayMsg::Transfer(transfer, reply)).await.ok()
            }
            Self::Elsewhere(remote) => {
                tokio::time::timeout(PATIENCE, remote.ask(transfer)).await.ok().flatten()
            }
        }
    }
}

/// What clients have to tell at the end.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Transfers that were applied, then or before.
    pub applied: u64,
    /// Refusals, by reason.
    pub refused: BTreeMap<Refusal, u64>,
    /// Ids that other fields had taken.
    pub conflicts: u64,
    /// How many answers cannot be, given what the client asked before.
    pub surprised: u64,
    /// The first few of them.
    pub surprises: Vec<Surprise>,
}

impl Told {
    /// Adds what another client has to tell.
    pub fn add(&mut self, other: Self) {
        self.applied += other.applied;
        for (reason, count) in other.refused {
            *self.refused.entry(reason).or_default() += count;
        }
        self.conflicts += other.conflicts;
        self.surprised += other.surprised;
        self.surprises.extend(other.surprises);
        self.surprises.truncate(SURPRISES);
    }

    fn count(&mut self, answer: Answer) {
        match answer {
            Answer::Outcome(Outcome::Applied { .. }) => self.applied += 1,
            Answer::Outcome(Outcome::Refused { reason, .. }) => *self.refused.entry(reason).or_default() += 1,
            Answer::Conflict => self.conflicts += 1,
        }
    }
}

/// An answer that cannot be.
#[derive(Clone, Debug)]
pub struct Surprise {
    transfer: Transfer,
    answer: Answer,
    expected: String,
}

impl fmt::Display for Surprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transfer, answer, expected } = self;
        write!(f, "a client asked for {} and was told {answer:?}, but expected {expected}", transfer.id)
    }
}

/// Most surprises that are kept.
const SURPRISES: usize = 10;

/// Where a client has its work from.
#[derive(Debug)]
pub enum Work {
    /// From a seed: it knows what to expect.
    Seeded(ClientWorkload),
    /// From somewhere else, in this order: any answer is as good as another.
    Given {
        /// What is to come; the client ends when this does.
        transfers: mpsc::Receiver<Transfer>,
        /// How many have come.
        taken: u64,
    },
}

impl From<ClientWorkload> for Work {
    fn from(work: ClientWorkload) -> Self {
        Self::Seeded(work)
    }
}

impl From<mpsc::Receiver<Transfer>> for Work {
    fn from(transfers: mpsc::Receiver<Transfer>) -> Self {
        Self::Given { transfers, taken: 0 }
    }
}

impl Work {
    async fn next(&mut self) -> Option<Item> {
        match self {
            Self::Seeded(work) => work.next(),
            Self::Given { transfers, taken } => {
                let transfer = transfers.recv().await?;
                *taken += 1;
                Some(Item { index: *taken - 1, transfer, expected: Expected::Anything })
            }
        }
    }
}

/// Runs one client to its end.
pub async fn client(work: impl Into<Work>, door: Door) -> Told {
    let mut work = work.into();
    let mut told = Told::default();
    let mut recent: VecDeque<(u64, Answer)> = VecDeque::with_capacity(MEMORY + 1);
    let mut closing = door.closing.clone();
    loop {
        let item = tokio::select! {
            biased;
            // Ready too if whoever could close the door is gone.
            _ = closing.wait_for(|closing| *closing) => break,
            item = work.next() => item,
        };
        let Some(item) = item else { break };
        let asked_at = door.system.now();
        if door.until.is_some_and(|until| asked_at >= until) {
            break;
        }
        let answer = ask(item.transfer, &door).await;
        let took = door.system.now().since(asked_at);
        door.answered.fetch_add(1, Ordering::Relaxed);
        let earlier = |index| recent.iter().find(|(at, _)| *at == index).map(|(_, answer)| *answer);
        if !item.expected.allows(answer, earlier) {
            told.surprised += 1;
            if told.surprises.len() < SURPRISES {
                let expected = format!("{:?}", item.expected);
                told.surprises.push(Surprise { transfer: item.transfer, answer, expected });
            }
        }
        told.count(answer);
        recent.push_back((item.index, answer));
        if recent.len() > MEMORY {
            recent.pop_front();
        }
        if door.history.send(Note { transfer: item.transfer, answer, took }).await.is_err() {
            break; // nobody writes the history any more: the run has failed
        }
    }
    told
}

/// Asks until there is an answer.
async fn ask(transfer: Transfer, door: &Door) -> Answer {
    loop {
        match door.desk.ask(transfer).await {
            Some(answer) => return answer,
            None => {
                door.asked_again.fetch_add(1, Ordering::Relaxed);
                pause().await;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a client is no actor: it has no context to wait by")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}
