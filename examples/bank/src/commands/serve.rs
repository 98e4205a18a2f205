//! `bank serve`: one life of the bank as a process of its own. What it does is in `process/child.rs`.
//! Not for people: `bank run --process` starts it, kills it, and starts it again.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::LogFormat;
use crate::exit::Exit;
use crate::faults;
use crate::logging;
use crate::process::child::{self, Life, LifeError};
use crate::process::{KillPoint, modest_plan};

/// Its arguments.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
pub struct ServeArgs {
    /// The bank's directory
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,

    /// The socket to listen on
    #[arg(long, value_name = "FILE")]
    pub socket: PathBuf,

    /// How many partitions the bank was created with
    #[arg(long, value_name = "N")]
    pub partitions: u16,

    /// Where faults and the actors' randomness come from
    #[arg(long, value_name = "N")]
    pub seed: u64,

    /// Fire a few faults, spread over so many transfers
    #[arg(long, value_name = "N", conflicts_with = "plan")]
    pub faults: Option<u64>,

    /// The fault plan to follow
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,

    /// Where to stand still and wait to be killed
    #[arg(long, value_name = "POINT:AFTER:NTH")]
    pub kill: Option<KillPoint>,

    /// What to log, to standard error, as in `bank run`
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,

    /// How to log
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// Lives one life, and gives the code to exit with.
pub fn run(args: &ServeArgs) -> ExitCode {
    let fail = |error: &dyn fmt::Display, exit: Exit| {
        eprintln!("bank serve: {error}");
        exit.into()
    };
    if let Err(error) = logging::start(args.log.as_deref(), args.log_format) {
        return fail(&error, Exit::BadConfiguration);
    }
    let life = match args.life() {
        Ok(life) => life,
        Err(error) => return fail(&error, Exit::BadConfiguration),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format_args!("no threads to run on: {error}"), Exit::Failed),
    };
    let lived = runtime.block_on(child::live(life));
    // A thread that stands at a kill point would be waited for, for ever.
    runtime.shutdown_background();
    match lived {
        Ok(true) => Exit::Clean.into(),
        Ok(false) => Exit::DeadlineExceeded.into(),
        Err(error @ LifeError::Start(_)) => fail(&error, Exit::GaveUp),
        Err(error) => fail(&error, Exit::Failed),
    }
}

impl ServeArgs {
    /// The life that they ask for.
    ///
    /// # Errors
    /// What is wrong with the plan, as text.
    pub fn life(&self) -> Result<Life, String> {
        let faults = match (&self.plan, self.faults) {
            (Some(path), _) => Some(faults::named(path, self.seed).map_err(|error| error.to_string())?),
            (None, Some(transfers)) => Some(modest_plan(self.seed, transfers, self.partitions)),
            (None, None) => None,
        };
        let &Self { partitions, seed, kill, .. } = self;
        Ok(Life { dir: self.dir.clone(), socket: self.socket.clone(), partitions, seed, faults, kill })
    }
}
