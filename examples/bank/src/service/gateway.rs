//! The gateway: the clients' one door. Hands each transfer to the ledger of its payer, and keeps the clients' replies
//! until that ledger says what is on disk. Never waits for a ledger: what gets no answer is sent again by the retrier.
//! Nothing it holds outlives it; when it ends, its clients hear so and ask again under the same id.
//!
//! The first request that arrives puts a `HandOn` at the end of the lane, so that everything that was queued by then
//! goes on in one message for each ledger. So a burst, such as all clients of a batch that was answered, cannot fill the
//! mailboxes of the ledgers and the retrier with a message for each transfer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use minder::prelude::*;

use crate::outcomes::Answer;
use crate::service::ledger::LedgerMsg;
use crate::service::retrier::RetrierMsg;
use crate::transfers::Transfer;

/// What the gateway takes.
#[derive(Debug)]
pub enum GatewayMsg {
    /// A client's request.
    Transfer(Transfer, Reply<Answer>),
    /// Hand on what has come together; the gateway's own.
    HandOn,
    /// A ledger's answers, on disk.
    Settled(Vec<(Transfer, Answer)>),
    /// The retrier's reminder: these have had no answer for too long.
    Resend(Vec<Transfer>),
}

/// See the file's head.
#[derive(Debug)]
pub struct Gateway {
    ledgers: Vec<Addr<LedgerMsg>>,
    retrier: Addr<RetrierMsg>,
    waiting: HashMap<Transfer, Waiting>,
    /// Requests that are to be handed on.
    arrived: Vec<Transfer>,
}

/// Who waits for an answer: mostly one, and no allocation then.
#[derive(Debug)]
struct Waiting {
    first: Reply<Answer>,
    more: Vec<Reply<Answer>>,
}

impl Gateway {
    /// The gateway to these ledgers, by partition.
    pub fn new(ledgers: Vec<Addr<LedgerMsg>>, retrier: Addr<RetrierMsg>) -> Self {
        Self { ledgers, retrier, waiting: HashMap::new(), arrived: Vec::new() }
    }

    /// Hands transfers to their ledgers. If there is no room, the retrier will remind us of them.
    fn submit(&self, transfers: &[Transfer]) {
        let partitions = u16::try_from(self.ledgers.len()).expect("partitions are counted in 16 bits");
        let mut shares = vec![Vec::new(); self.ledgers.len()];
        for transfer in transfers {
            shares[usize::from(transfer.from.partition(partitions))].push(*transfer);
        }
        for (ledger, share) in self.ledgers.iter().zip(shares) {
            if !share.is_empty() {
                drop(ledger.tell(LedgerMsg::Submit(share)));
            }
        }
    }
}

impl Actor for Gateway {
    type Msg = GatewayMsg;

    async fn handle(&mut self, message: GatewayMsg, context: &mut Context<GatewayMsg>) -> Handled {
        match message {
            GatewayMsg::Transfer(transfer, reply) => match self.waiting.entry(transfer) {
                // The same request again while the first is under way: one submission, two answers.
                Entry::Occupied(entry) => entry.into_mut().more.push(reply),
                Entry::Vacant(entry) => {
                    entry.insert(Waiting { first: reply, more: Vec::new() });
                    if self.arrived.is_empty() {
                        context.tell_self(GatewayMsg::HandOn);
                    }
                    self.arrived.push(transfer);
                }
            },
            GatewayMsg::HandOn => {
                let mut arrived = std::mem::take(&mut self.arrived);
                // What was submitted by our predecessor may have been answered meanwhile; nobody waits for it any more.
                arrived.retain(|transfer| self.waiting.contains_key(transfer));
                self.submit(&arrived);
                // Waits while the retrier has no room. The retrier never waits for anybody, so this ends.
                self.retrier.send(RetrierMsg::Watch(arrived)).await?;
            }
            GatewayMsg::Settled(answers) => {
                let settled = answers.iter().map(|(transfer, _)| *transfer).collect();
                for (transfer, answer) in answers {
                    let Some(Waiting { first, more }) = self.waiting.remove(&transfer) else { continue };
                    for reply in std::iter::once(first).chain(more) {
                        // A client that has turned away will ask again and get the same answer.
                        let _ = reply.send(answer);
                    }
                }
                self.retrier.send(RetrierMsg::Settled(settled)).await?;
            }
            GatewayMsg::Resend(mut overdue) => {
                overdue.retain(|transfer| self.waiting.contains_key(transfer));
                self.submit(&overdue);
            }
        }
        Ok(())
    }
}
