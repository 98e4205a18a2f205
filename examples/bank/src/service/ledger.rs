//! A ledger: the accounts of one partition in memory, rebuilt from the store at every start.
//!
//! Transfers that arrive while a commit is under way stand in the lane; a `Settle` behind them makes them the next
//! batch. One batch at a time, so that the books are what the disk will be. When anything about a commit is in doubt
//! the ledger ends: its books are no longer to be trusted.

use minder::prelude::*;

use crate::accounts::Account;
use crate::books::Books;
use crate::outcomes::Answer;
use crate::service::gateway::GatewayMsg;
use crate::service::store_actor::StoreMsg;
use crate::store::Work;
use crate::transfers::Transfer;

/// The largest batch that goes into one commit.
const BATCH: usize = 1024;

/// What a ledger takes.
#[derive(Debug)]
pub enum LedgerMsg {
    /// Decide these transfers, and tell the gateway when the decisions are on disk.
    Submit(Vec<Transfer>),
    /// Settle what has come together; the ledger's own.
    Settle,
    /// Tell an account as it is.
    Account(crate::accounts::AccountId, Reply<Option<Account>>),
}

/// See the file's head.
#[derive(Debug)]
pub struct Ledger {
    partition: u16,
    store: Addr<StoreMsg>,
    gateway: Addr<GatewayMsg>,
    books: Books,
    batch: Vec<Transfer>,
    settling: bool,
}

impl Ledger {
    /// The ledger of a partition; its books are filled when it starts.
    pub fn new(partition: u16, store: Addr<StoreMsg>, gateway: Addr<GatewayMsg>) -> Self {
        Self { partition, store, gateway, books: Books::default(), batch: Vec::new(), settling: false }
    }

    async fn settle(&mut self) -> Result<(), ExitReason> {
        let rest = self.batch.split_off(self.batch.len().min(BATCH));
        let transfers = std::mem::replace(&mut self.batch, rest);
        let books = self.books.touched_by(&transfers);
        let work = Work { partition: self.partition, transfers: transfers.clone(), books };
        let done = self.store.ask(|reply| StoreMsg::Commit(work, reply)).await??;
        for account in done.books {
            self.books.put(account);
        }
        let answers = transfers.into_iter().zip(done.answers).collect();
        // Waits while the gateway has no room. The gateway never waits for a ledger, so this ends.
        self.gateway.send(GatewayMsg::Settled(answers)).await?;
        Ok(())
    }
}

impl Actor for Ledger {
    type Msg = LedgerMsg;

    async fn started(&mut self, _: &mut Context<LedgerMsg>) -> Handled {
        let partition = self.partition;
        let accounts = self.store.ask(|reply| StoreMsg::Accounts(partition, reply)).await?;
        self.books = Books::new(accounts);
        Ok(())
    }

    async fn handle(&mut self, message: LedgerMsg, context: &mut Context<LedgerMsg>) -> Handled {
        match message {
            LedgerMsg::Submit(transfers) => self.batch.extend(transfers),
            LedgerMsg::Settle => {
                self.settle().await?;
                self.settling = false;
            }
            LedgerMsg::Account(id, reply) => drop(reply.send(self.books.account(id).copied())),
        }
        if !self.batch.is_empty() && !self.settling {
            self.settling = true;
            context.tell_self(LedgerMsg::Settle);
        }
        Ok(())
    }
}

/// What a ledger tells the gateway: each transfer with its answer.
pub type Answers = Vec<(Transfer, Answer)>;
