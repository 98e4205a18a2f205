//! The auditor: adds up each partition's accounts while the bank works. Transfers stay inside a partition for now, so
//! its total never changes. The store answers between two commits, so what it sees is one moment.
//! Finds only what sums show; the audit at the end (`audit`) looks at every transfer.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use minder::prelude::*;

use crate::accounts::Account;
use crate::service::store_actor::StoreMsg;

/// How often it adds up.
const EVERY: Duration = Duration::from_millis(100);

/// What the auditor takes: its own reminder.
#[derive(Debug)]
pub struct AddUp;

/// Money was made or lost in a partition, or an account is beyond its limit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding(String);

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Finding {}

/// What auditors have found, kept outside of them: a finding must survive its finder.
#[derive(Clone, Debug, Default)]
pub struct Findings(Arc<Mutex<BTreeSet<Finding>>>);

impl Findings {
    /// All of them, each once.
    pub fn all(&self) -> Vec<Finding> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn add(&self, finding: Finding) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(finding);
    }
}

/// See the file's head.
#[derive(Debug)]
pub struct Auditor {
    store: Addr<StoreMsg>,
    partitions: u16,
    next: u16,
    findings: Findings,
}

impl Auditor {
    /// An auditor of so many partitions.
    pub fn new(store: Addr<StoreMsg>, partitions: u16, findings: Findings) -> Self {
        Self { store, partitions, next: 0, findings }
    }
}

fn look(partition: u16, accounts: &[Account]) -> Result<(), Finding> {
    let total =
        |of: fn(&Account) -> i64| accounts.iter().map(|account| i128::from(of(account))).sum::<i128>();
    let (opened, now) = (total(|account| account.opening), total(|account| account.balance));
    if opened != now {
        return Err(Finding(format!("partition {partition} opened with {opened} cents and has {now}")));
    }
    let beyond = accounts.iter().find(|account| i128::from(account.balance) < -i128::from(account.limit));
    beyond.map_or(Ok(()), |account| Err(Finding(format!("{} is beyond its limit: {account:?}", account.id))))
}

impl Actor for Auditor {
    type Msg = AddUp;

    async fn started(&mut self, context: &mut Context<AddUp>) -> Handled {
        context.tell_self(AddUp);
        Ok(())
    }

    async fn handle(&mut self, AddUp: AddUp, context: &mut Context<AddUp>) -> Handled {
        let partition = self.next;
        self.next = (self.next + 1) % self.partitions.max(1);
        let accounts = self.store.ask(|reply| StoreMsg::Accounts(partition, reply)).await?;
        context.send_after(EVERY, AddUp);
        look(partition, &accounts).map_err(|finding| {
            self.findings.add(finding.clone());
            ExitReason::error(finding)
        })
    }
}
