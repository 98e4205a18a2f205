//! The retrier: knows since when each request of the gateway has been waiting, and reminds the gateway of those that
//! have had no answer for too long: at once when their ledger ends, and after a while in any case.
//! It and the gateway are two halves of one memory, so they are restarted together.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use minder::prelude::*;
use minder::{Moment, MonitorId};

use crate::service::gateway::GatewayMsg;
use crate::service::ledger::LedgerMsg;
use crate::transfers::Transfer;

/// How often it looks.
const LOOK: Duration = Duration::from_millis(20);
/// How long a request may wait before it is sent again.
const OVERDUE: Duration = Duration::from_millis(200);

/// What the retrier takes.
#[derive(Debug)]
pub enum RetrierMsg {
    /// The gateway has submitted these.
    Watch(Vec<Transfer>),
    /// These have their answers.
    Settled(Vec<Transfer>),
    /// Look for overdue requests; the retrier's own.
    Look,
}

/// See the file's head.
#[derive(Debug)]
pub struct Retrier {
    gateway: Addr<GatewayMsg>,
    ledgers: Vec<Addr<LedgerMsg>>,
    since: HashMap<Transfer, Moment>,
    /// Which ledger each monitor watches.
    watched: HashMap<MonitorId, usize>,
    /// Ledgers that nobody watches: they were between two lives.
    unwatched: Vec<usize>,
    /// Requests to remind of for which the gateway had no room.
    unsent: Vec<Transfer>,
    resent: Arc<AtomicU64>,
}

impl Retrier {
    /// Reminds this gateway of its requests to these ledgers; counts how often.
    pub fn new(gateway: Addr<GatewayMsg>, ledgers: Vec<Addr<LedgerMsg>>, resent: Arc<AtomicU64>) -> Self {
        let unwatched = (0..ledgers.len()).collect();
        let (since, watched, unsent) = (HashMap::new(), HashMap::new(), Vec::new());
        Self { gateway, ledgers, since, watched, unwatched, unsent, resent }
    }

    fn watch_ledgers(&mut self, context: &mut Context<RetrierMsg>) {
        let (alive, gone) =
            self.unwatched.drain(..).partition::<Vec<_>, _>(|at| self.ledgers[*at].is_alive());
        self.unwatched = gone;
        for at in alive {
            self.watched.insert(context.monitor(&self.ledgers[at]), at);
        }
    }

    /// Reminds the gateway of the requests for which `which` says so, and of those for which it had no room before.
    fn remind(&mut self, now: Moment, which: impl Fn(&Transfer, Moment) -> bool) -> Handled {
        let mut overdue = std::mem::take(&mut self.unsent);
        overdue.retain(|transfer| self.since.contains_key(transfer));
        for (transfer, since) in &mut self.since {
            if which(transfer, *since) {
                *since = now;
                overdue.push(*transfer);
            }
        }
        if overdue.is_empty() {
            return Ok(());
        }
        overdue.sort_unstable_by_key(|transfer| transfer.id);
        overdue.dedup();
        let count = overdue.len() as u64;
        match self.gateway.tell(GatewayMsg::Resend(overdue)) {
            Ok(()) => self.resent.fetch_add(count, Ordering::Relaxed),
            // It must not be waited for: it may be waiting for us.
            Err(TellError::Full(GatewayMsg::Resend(overdue))) => {
                self.unsent = overdue;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        Ok(())
    }
}

impl Actor for Retrier {
    type Msg = RetrierMsg;

    async fn started(&mut self, context: &mut Context<RetrierMsg>) -> Handled {
        context.tell_self(RetrierMsg::Look);
        Ok(())
    }

    async fn handle(&mut self, message: RetrierMsg, context: &mut Context<RetrierMsg>) -> Handled {
        match message {
            RetrierMsg::Watch(transfers) => {
                let now = context.now();
                self.since.extend(transfers.into_iter().map(|transfer| (transfer, now)));
            }
            RetrierMsg::Settled(transfers) => {
                for transfer in transfers {
                    self.since.remove(&transfer);
                }
            }
            RetrierMsg::Look => {
                self.watch_ledgers(context);
                let now = context.now();
                self.remind(now, |_, since| now.since(since) >= OVERDUE)?;
                context.send_after(LOOK, RetrierMsg::Look);
            }
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<RetrierMsg>) -> Handled {
        let Notice::Down(down) = notice else { return Ok(()) };
        let Some(at) = self.watched.remove(&down.monitor) else { return Ok(()) };
        self.unwatched.push(at);
        // Whatever that ledger had in hand is in doubt. Its seat keeps what we send until the next one sits there.
        let partitions = u16::try_from(self.ledgers.len()).expect("partitions are counted in 16 bits");
        self.remind(context.now(), |transfer, _| usize::from(transfer.from.partition(partitions)) == at)
    }
}
