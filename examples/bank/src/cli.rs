//! The command line: what a person may ask for, checked before anything is done.
//! Does nothing itself; `RunArgs::plan` turns it into a bank and its workload.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::commands::audit::AuditArgs;
use crate::commands::explain::ExplainArgs;
use crate::commands::generate::GenerateArgs;
use crate::commands::serve::ServeArgs;
use crate::commands::show::ShowArgs;
use crate::config::{BadShape, BankConfig, MAX_ACCOUNTS};
use crate::exit::Exit;
use crate::faults::{PlanArgs, Size};
use crate::input::Source;
use crate::workload::Workload;

/// Where runs put their banks unless told otherwise.
const RUNS_DIR: &str = "target/bank";

/// A bank under fire: clients transfer money while the bank's actors and supervisors are crashed, and an audit checks
/// that nothing was lost.
#[derive(Parser, Debug, Clone, PartialEq, Eq)]
#[command(name = "bank", version, after_help = Exit::HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the bank can be asked to do.
#[derive(Subcommand, Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Run a seeded workload on a new bank, under faults, and audit it
    ///
    /// Clients send transfers, some of which must be refused, some with an id that was sent before, some with
    /// an id that means another transfer. Meanwhile the bank's actors and supervisors are crashed. At the end
    /// an independent audit reads the database and holds it against what the clients were told.
    ///
    /// The exit code is 0 only if everything holds.
    #[command(after_help = "Examples:\n  \
        bank run\n  \
        bank run --seed 7 --json result.json\n  \
        bank run --no-faults --for 60s --accounts 10000 --clients 2048\n  \
        bank run --log debug        what every supervisor decides; RUST_LOG works as well")]
    Run(RunArgs),
    /// Write a file of transfers, for `bank run --transfers`
    Generate(GenerateArgs),
    /// Print accounts, a transfer, or an account's history of a bank that is not running
    Show(ShowArgs),
    /// Audit the bank in a directory, against its clients' history if there is one
    Audit(AuditArgs),
    /// Print what the bank's supervision tree will do when something crashes, and what is suspicious in it
    Explain(ExplainArgs),
    /// Print a fault plan that comes with the bank, to be changed and given to `bank run --plan`
    Plan(PlanArgs),
    /// Serve a bank to another process; `bank run --process` starts this
    #[command(hide = true)]
    Serve(ServeArgs),
}

/// How to run.
#[derive(Args, Debug, Clone, PartialEq, Eq)]
pub struct RunArgs {
    /// Where every choice of workload and faults comes from; equal seeds make equal choices
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// How many transfers the clients send, repeats and conflicts included
    #[arg(long, value_name = "N", default_value_t = 120_000, value_parser = count)]
    pub count: u64,

    /// End after this time instead of after a number of transfers, such as 60s
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration,
        conflicts_with_all = ["count", "transfers", "process"])]
    pub lasts: Option<Duration>,

    /// Give transfers ids without any order, which no client should: it shows what the order is worth
    #[arg(long, conflicts_with = "transfers")]
    pub random_ids: bool,

    /// How many accounts the bank has; at least two for each partition
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = accounts)]
    pub accounts: u32,

    /// How many clients send at the same time, each one transfer at a time
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clients)]
    pub clients: u32,

    /// How many partitions the accounts are divided into, each with a ledger of its own
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = partitions)]
    pub partitions: u16,

    /// Crash nothing
    #[arg(long)]
    pub no_faults: bool,

    /// The fault plan to follow: a TOML file, or the name of a plan that comes with the bank (default,
    /// one-kill-a-second); `bank plan NAME` prints it
    #[arg(long, value_name = "FILE", conflicts_with = "no_faults")]
    pub plan: Option<PathBuf>,

    /// Take the transfers from this CSV file (id,from,to,cents), or from standard input if it is `-`; a name that
    /// ends in .gz is unpacked. A bad line is named and skipped
    #[arg(long, value_name = "FILE", conflicts_with = "count")]
    pub transfers: Option<PathBuf>,

    /// Refuse the whole file before anything is applied if one of its lines is bad
    #[arg(long, requires = "transfers")]
    pub strict: bool,

    /// Run the bank as a process of its own and kill that with SIGKILL, again and again
    ///
    /// Clients, history and audit stay outside. The kills come at chosen points, two in five of them in the middle of
    /// a commit. SIGKILL ends a process and not the machine: what was written is in the page cache and survives, so
    /// this does not prove that the disk was synced.
    #[arg(long)]
    pub process: bool,

    /// How often to kill the process
    #[arg(long, value_name = "N", default_value_t = 24, requires = "process")]
    pub kills: u32,

    /// Where to put the bank and the clients' history; must not hold a bank [default: a new one under target/bank]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,

    /// Write the result to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// What to log, as in RUST_LOG: a level (info, debug) or levels by target (minder=debug) [default: nothing]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,

    /// How to log
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A run that can be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPlan {
    /// The bank to create.
    pub bank: BankConfig,
    /// What its clients will ask for.
    pub workload: Workload,
    /// Whether to fire faults.
    pub faults: bool,
}

impl RunArgs {
    /// What the arguments come to.
    ///
    /// # Errors
    /// [`BadShape`] if they do not fit each other.
    pub fn plan(&self) -> Result<RunPlan, BadShape> {
        let bank = BankConfig::new(self.accounts, self.partitions);
        // Clients with an end in time have work without end.
        let count = self.lasts.map_or(self.count, |_| u64::MAX);
        let mut workload = Workload::new(self.seed, count, self.clients, &bank)?;
        workload.random_ids = self.random_ids;
        Ok(RunPlan { bank, workload, faults: !self.no_faults })
    }

    /// The measures of the run that the default fault plan is made to fit; of a file of transfers, a guess.
    pub fn size(&self) -> Size {
        let file = self.transfers.as_deref().map(Source::named);
        let count = file.and_then(|file| file.guess_lines()).unwrap_or(self.count);
        Size { count, clients: self.clients, partitions: self.partitions }
    }

    /// The directory of the run: the one that was asked for, or a new one.
    ///
    /// # Errors
    /// The operating system's, when a new one is made.
    pub fn directory(&self) -> io::Result<PathBuf> {
        match &self.dir {
            Some(dir) => Ok(dir.clone()),
            None => new_dir(Path::new(RUNS_DIR), self.seed),
        }
    }
}

/// Makes the first of `seed-N`, `seed-N-2`, `seed-N-3` … that is not there yet.
fn new_dir(runs: &Path, seed: u64) -> io::Result<PathBuf> {
    fs::create_dir_all(runs)?;
    let names = std::iter::once(format!("seed-{seed}")).chain((2_u64..).map(|n| format!("seed-{seed}-{n}")));
    for dir in names.map(|name| runs.join(name)) {
        match fs::create_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| dir),
        }
    }
    Err(io::Error::other(format!("every name under {} is taken", runs.display())))
}

fn count(text: &str) -> Result<u64, String> {
    between(text, 1, u64::MAX, "without a transfer there is nothing to run")
}

fn accounts(text: &str) -> Result<u32, String> {
    between(text, 2, MAX_ACCOUNTS, "a transfer needs two, and ledgers hold theirs in memory")
}

fn clients(text: &str) -> Result<u32, String> {
    between(text, 1, 10_000, "somebody must send the transfers, and each client is a task with a history")
}

fn partitions(text: &str) -> Result<u16, String> {
    between(text, 1, 1_000, "somebody must look after the accounts, and each partition is a ledger")
}

/// A number within bounds, or a sentence that says the bounds and why they are there.
fn between<T: FromStr + PartialOrd + std::fmt::Display>(
    text: &str,
    least: T,
    most: T,
    why: &str,
) -> Result<T, String> {
    match text.parse::<T>() {
        Ok(number) if number >= least && number <= most => Ok(number),
        _ => Err(format!("must be a whole number from {least} to {most}: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(args: &str) -> Result<RunArgs, String> {
        let words = ["bank", "run"].into_iter().chain(args.split_whitespace());
        match Cli::try_parse_from(words) {
            Ok(Cli { command: Command::Run(run) }) => Ok(run),
            Ok(other) => Err(format!("not a run: {other:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_defaults() {
        Cli::command().debug_assert();
        let run = parse("").expect("nothing is required");
        assert_eq!((run.count, run.accounts, run.clients, run.partitions), (120_000, 1_000, 256, 4));
        let plan = run.plan().expect("the defaults fit each other");
        assert!(plan.faults && plan.workload.seed == 1);
        assert!(!parse("--no-faults --seed 9").expect("both are known").plan().expect("fits").faults);
    }

    #[test]
    fn a_run_may_end_in_time() {
        let run = parse("--for 90s --random-ids").expect("both are known");
        assert_eq!(run.lasts, Some(Duration::from_secs(90)));
        let plan = run.plan().expect("the defaults fit each other");
        assert!(plan.workload.random_ids && plan.workload.count == u64::MAX);
        assert_eq!(run.size().count, 120_000, "the default plan still has a size to fit");
        for other in ["--count 5", "--transfers x.csv", "--process"] {
            let error = parse(&format!("--for 90s {other}")).expect_err("an end in time or another one");
            assert!(error.contains("cannot be used with"), "{error}");
        }
    }

    #[test]
    fn bad_values_are_refused_with_a_sentence() {
        let rows = [
            ("--clients 0", "somebody must send the transfers"),
            ("--clients 10001", "from 1 to 10000"),
            ("--count 0", "nothing to run"),
            ("--count -1", "unexpected argument"),
            ("--count many", "must be a whole number from 1"),
            ("--accounts 1", "a transfer needs two"),
            ("--accounts 4294967296", "from 2 to 100000000"),
            ("--partitions 0", "somebody must look after"),
            ("--partitions 65536", "from 1 to 1000"),
            ("--seed x", "invalid digit"),
            ("--colour", "unexpected argument"),
        ];
        for (args, says) in rows {
            let error = parse(args).expect_err(args);
            assert!(error.contains(says), "{args}: {error}");
        }
        let run = parse("--accounts 7 --partitions 4").expect("each is fine");
        let error = run.plan().expect_err("together they are not").to_string();
        assert!(error.contains("each partition needs two"), "{error}");
    }

    #[test]
    fn help_shows_the_defaults() {
        let help = parse("--help").expect_err("help is an error to clap");
        for says in
            ["[default: 120000]", "[default: 256]", "target/bank", "Examples:", "exit code is 0 only if"]
        {
            assert!(help.contains(says), "{says} is not in\n{help}");
        }
    }

    #[test]
    fn each_run_has_a_new_directory() {
        let runs = tempfile::tempdir().expect("a temporary directory");
        let names: Vec<PathBuf> =
            (0..3).map(|_| new_dir(&runs.path().join("a/b"), 5).expect("writable")).collect();
        let expected = ["a/b/seed-5", "a/b/seed-5-2", "a/b/seed-5-3"].map(|name| runs.path().join(name));
        assert_eq!(names, expected);
        let run = parse("--dir /some/where").expect("any text is a path");
        assert_eq!(run.directory().ok(), Some(PathBuf::from("/some/where")));
    }
}
