//! The gateway: the clients' one door. Hands each transfer to the ledger of its payer, and keeps the clients' replies
//! until that ledger says what is on disk. Never waits for a ledger: what gets no answer is sent again by the retrier.
//! Nothing it holds outlives it; when it ends, its clients hear so and ask again under the same id.

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
    waiting: HashMap<Transfer, Vec<Reply<Answer>>>,
}

impl Gateway {
    /// The gateway to these ledgers, by partition.
    pub fn new(ledgers: Vec<Addr<LedgerMsg>>, retrier: Addr<RetrierMsg>) -> Self {
        Self { ledgers, retrier, waiting: HashMap::new() }
    }

    /// Hands a transfer to its ledger. If there is no room, the retrier will remind us of it.
    fn submit(&self, transfer: Transfer) {
        let partitions = u16::try_from(self.ledgers.len()).expect("partitions are counted in 16 bits");
        let ledger = &self.ledgers[usize::from(transfer.from.partition(partitions))];
        drop(ledger.tell(LedgerMsg::Submit(transfer)));
    }
}

impl Actor for Gateway {
    type Msg = GatewayMsg;

    async fn handle(&mut self, message: GatewayMsg, _: &mut Context<GatewayMsg>) -> Handled {
        match message {
            GatewayMsg::Transfer(transfer, reply) => match self.waiting.entry(transfer) {
                // The same request again while the first is under way: one submission, two answers.
                Entry::Occupied(entry) => entry.into_mut().push(reply),
                Entry::Vacant(entry) => {
                    entry.insert(vec![reply]);
                    self.submit(transfer);
                    self.retrier.tell(RetrierMsg::Watch(transfer))?;
                }
            },
            GatewayMsg::Settled(answers) => {
                let settled = answers.iter().map(|(transfer, _)| *transfer).collect();
                for (transfer, answer) in answers {
                    for reply in self.waiting.remove(&transfer).into_iter().flatten() {
                        // A client that has turned away will ask again and get the same answer.
                        let _ = reply.send(answer);
                    }
                }
                self.retrier.tell(RetrierMsg::Settled(settled))?;
            }
            GatewayMsg::Resend(overdue) => {
                for transfer in overdue {
                    if self.waiting.contains_key(&transfer) {
                        self.submit(transfer);
                    }
                }
            }
        }
        Ok(())
    }
}
