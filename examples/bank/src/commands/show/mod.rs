//! `bank show`: accounts, a transfer, or an account's history, of a bank that nobody runs. `rows.rs` says what of each
//! is shown. Shows what is stored and judges nothing; see `bank audit`.

mod rows;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Subcommand, value_parser};

use self::rows::{AccountRow, HistoryRow, TransferRow};
use super::listing::{Format, Listing};
use crate::accounts::AccountId;
use crate::exit::Exit;
use crate::redb_store::{Reading, Stored};
use crate::store::StoreError;
use crate::transfers::TransferId;

/// What to show.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
pub struct ShowArgs {
    /// The directory of the bank
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,

    /// What of it
    #[command(subcommand)]
    pub what: What,

    /// Print a JSON object a line instead of a table
    #[arg(long, global = true)]
    pub json: bool,
}

/// What of a bank can be shown.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// All accounts, by number
    Accounts {
        /// Only those of this partition
        #[arg(long, value_name = "P")]
        partition: Option<u16>,
    },
    /// One transfer, and what became of it
    Transfer {
        /// Its id, 32 hexadecimal digits
        #[arg(value_name = "ID")]
        id: TransferId,
    },
    /// What an account paid and was paid, and what it was refused, in the order of decisions, the latest last
    ///
    /// With its balance after each. Transfers to it that were refused because their payer belongs to another
    /// partition are not in it: they were decided there.
    History {
        /// The account
        #[arg(value_name = "ACCOUNT")]
        account: u32,
        /// How many decisions, of the latest
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u64).range(1..))]
        limit: u64,
    },
}

/// Why nothing is shown, or not all.
#[derive(Debug)]
#[non_exhaustive]
pub enum ShowError {
    /// The bank cannot be read.
    Store(StoreError),
    /// The bank has no such partition.
    NoPartition {
        /// What was asked for.
        partition: u16,
        /// How many there are.
        partitions: u16,
    },
    /// The bank has no such transfer.
    NoTransfer(TransferId),
    /// The bank has no such account.
    NoAccount {
        /// What was asked for.
        account: AccountId,
        /// How many there are.
        accounts: u32,
    },
    /// It cannot be written.
    Write(io::Error),
}

impl ShowError {
    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Store(StoreError::NotABank { .. } | StoreError::OtherVersion { .. }) => {
                Exit::BadConfiguration
            }
            Self::NoPartition { .. } | Self::NoTransfer(_) | Self::NoAccount { .. } => Exit::BadConfiguration,
            Self::Store(_) | Self::Write(_) => Exit::Failed,
        }
    }
}

impl fmt::Display for ShowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::NoPartition { partition, partitions } => {
                write!(
                    f,
                    "there is no partition {partition}; the bank has those from 0 to {}",
                    partitions - 1
                )
            }
            Self::NoTransfer(id) => write!(f, "the bank has no transfer {id}"),
            Self::NoAccount { account, accounts } => {
                write!(f, "there is no {account}; the bank has those from 0 to {}", accounts - 1)
            }
            Self::Write(error) => write!(f, "standard output cannot be written: {error}"),
        }
    }
}

impl std::error::Error for ShowError {}

impl From<StoreError> for ShowError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for ShowError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// Runs the command and says on standard error why it could not.
pub fn run(args: &ShowArgs) -> ExitCode {
    super::conclude(show(args, BufWriter::new(io::stdout().lock())), ShowError::exit)
}

/// Writes what is asked for to `out`. A reader of it that has seen enough is no error.
///
/// # Errors
/// See [`ShowError`].
pub fn show(args: &ShowArgs, out: impl Write) -> Result<(), ShowError> {
    let bank = Reading::open(&args.dir)?;
    let listing = Listing::new(out, if args.json { Format::Json } else { Format::Table });
    let shown = match args.what {
        What::Accounts { partition } => accounts(&bank, partition, listing),
        What::Transfer { id } => transfer(&bank, id, listing),
        What::History { account, limit } => history(&bank, AccountId(account), limit, listing),
    };
    match shown {
        Err(ShowError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        shown => shown,
    }
}

fn accounts<W: Write>(
    bank: &Reading,
    partition: Option<u16>,
    mut listing: Listing<W>,
) -> Result<(), ShowError> {
    let partitions = bank.config().partitions;
    if let Some(partition) = partition.filter(|&partition| partition >= partitions) {
        return Err(ShowError::NoPartition { partition, partitions });
    }
    bank.each_account(partition, |account| {
        listing.add(&AccountRow::new(&account, partitions)).map_err(ShowError::Write)
    })?;
    Ok(listing.finish::<AccountRow>()?)
}

fn transfer<W: Write>(bank: &Reading, id: TransferId, mut listing: Listing<W>) -> Result<(), ShowError> {
    let stored = bank.transfer(id)?.ok_or(ShowError::NoTransfer(id))?;
    listing.add(&TransferRow::new(&stored, bank.config().partitions))?;
    Ok(listing.finish::<TransferRow>()?)
}

/// The table is in the order of ids; only the latest decisions are kept of it. Their balances come from the present one,
/// backwards.
fn history<W: Write>(
    bank: &Reading,
    account: AccountId,
    limit: u64,
    mut listing: Listing<W>,
) -> Result<(), ShowError> {
    let config = bank.config();
    let balance = match bank.balance(account)? {
        Some(balance) if account.0 < config.accounts => balance,
        _ => return Err(ShowError::NoAccount { account, accounts: config.accounts }),
    };
    let partition = account.partition(config.partitions);
    let mut latest: BTreeMap<u64, Stored> = BTreeMap::new();
    bank.each_transfer(|stored| {
        let transfer = &stored.transfer;
        let about = transfer.from == account || transfer.to == account;
        if about && transfer.from.partition(config.partitions) == partition {
            latest.insert(stored.outcome.seq(), stored);
            if latest.len() as u64 > limit {
                latest.pop_first();
            }
        }
    })?;
    let mut balance = i128::from(balance);
    let mut rows: Vec<HistoryRow> = Vec::with_capacity(latest.len());
    for stored in latest.values().rev() {
        let row = HistoryRow::new(stored, account, balance);
        balance -= row.change;
        rows.push(row);
    }
    for row in rows.iter().rev() {
        listing.add(row)?;
    }
    Ok(listing.finish::<HistoryRow>()?)
}

#[cfg(test)]
mod tests;
