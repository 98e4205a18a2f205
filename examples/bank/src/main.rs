//! The binary: arguments, logging, progress, and the exit code. Everything else is in the library.
//!
//! Exit codes: 0 everything holds; 1 something does not; 2 the arguments or the directory are wrong.

use std::io::IsTerminal;
use std::process::ExitCode;

use bank::cli::{Cli, Command, RunArgs};
use bank::demo::{self, DemoError};
use bank::report::Report;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let Cli { command: Command::Run(args) } = Cli::parse();
    let logging = match start_logging(args.log.as_deref()) {
        Ok(logging) => logging,
        Err(error) => return fail(&error, 2),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no threads to run on: {error}"), 1),
    };
    let bar = progress_bar(&args, logging);
    let result = runtime.block_on(demo::demo(&args, |answered| match answered {
        Some(answered) => bar.set_position(answered),
        None => bar.set_message("auditing"),
    }));
    bar.finish_and_clear();
    match result {
        Ok((dir, report)) => {
            println!("{}", report.table());
            println!("bank and history: {}", dir.display());
            conclude(&args, &report)
        }
        Err(error) => {
            let code = match error {
                DemoError::Shape(_) | DemoError::Directory(_) | DemoError::Create(_) => 2,
                _ => 1,
            };
            fail(&error.to_string(), code)
        }
    }
}

fn conclude(args: &RunArgs, report: &Report) -> ExitCode {
    if let Some(path) = &args.json
        && let Err(error) = report.write_json(path)
    {
        return fail(&format!("{} cannot be written: {error}", path.display()), 1);
    }
    let failures = report.failures();
    for failure in &failures {
        eprintln!("bank: {failure}");
    }
    if failures.is_empty() {
        println!("nothing was lost");
        ExitCode::SUCCESS
    } else {
        eprintln!("bank: run it again with --seed {} --log info to see why", args.seed);
        ExitCode::FAILURE
    }
}

fn fail(sentence: &str, code: u8) -> ExitCode {
    eprintln!("bank: {sentence}");
    ExitCode::from(code)
}

/// Logs what `--log` or else `RUST_LOG` asks for, to standard error; says whether that is anything.
fn start_logging(filter: Option<&str>) -> Result<bool, String> {
    let (source, text) = match (filter, std::env::var("RUST_LOG")) {
        (Some(text), _) => ("--log", text.to_owned()),
        (None, Ok(text)) if !text.is_empty() => ("RUST_LOG", text),
        _ => return Ok(false),
    };
    let filter = EnvFilter::builder().parse(&text).map_err(|error| {
        format!("{source}: `{text}` is no log filter ({error}): write a level, or levels by target as in minder=debug")
    })?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(true)
}

/// A bar on a terminal; nothing where there is none, or where a log would be torn by it.
fn progress_bar(args: &RunArgs, logging: bool) -> ProgressBar {
    if logging || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} transfers, {per_sec}, {eta} left {msg}");
    let bar = ProgressBar::new(args.count);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
