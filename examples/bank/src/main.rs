//! The binary: arguments, logging, signals, progress, and the exit code. Everything else is in the library.

use std::io::IsTerminal;
use std::process::ExitCode;

use bank::cli::{Cli, Command, RunArgs};
use bank::commands;
use bank::demo;
use bank::exit::Exit;
use bank::faults;
use bank::logging;
use bank::report::Report;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use minder::os::StopSignals;
use tokio::sync::watch;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run(&args),
        Command::Generate(args) => commands::generate::run(&args),
        Command::Show(args) => commands::show::run(&args),
        Command::Audit(args) => commands::audit::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Plan(args) => faults::print(&args),
        Command::Serve(args) => commands::serve::run(&args),
    }
}

fn run(args: &RunArgs) -> ExitCode {
    let logging = match logging::start(args.log.as_deref(), args.log_format) {
        Ok(logging) => logging,
        Err(error) => return fail(&error.to_string(), Exit::BadConfiguration),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no threads to run on: {error}"), Exit::Failed),
    };
    let bar = progress_bar(args, logging);
    let result = runtime.block_on(async {
        let closing = close_on_signals()?;
        let progress = |answered| match answered {
            Some(answered) => bar.set_position(answered),
            None => bar.set_message("auditing"),
        };
        Ok::<_, std::io::Error>(demo::demo(args, closing, progress).await)
    });
    bar.finish_and_clear();
    match result {
        Ok(Ok((dir, report))) => {
            println!("{}", report.table());
            println!("{}", report.shutdown);
            println!("bank and history: {}", dir.display());
            conclude(args, &report)
        }
        Ok(Err(error)) => fail(&error.to_string(), Exit::of_error(&error)),
        Err(error) => fail(&format!("signals cannot be listened to: {error}"), Exit::Failed),
    }
}

/// The first signal turns the value true; the second ends the program at once.
#[expect(
    clippy::disallowed_methods,
    reason = "a binary may listen to signals, and must obey the second at once"
)]
fn close_on_signals() -> std::io::Result<watch::Receiver<bool>> {
    let mut signals = StopSignals::listen()?;
    let (close, closing) = watch::channel(false);
    tokio::spawn(async move {
        let signal = signals.next().await;
        tracing::info!(target: "bank::stop", %signal, "draining");
        eprintln!("bank: {signal}: finishing what was begun; once more to end at once");
        close.send_replace(true);
        let again = signals.next().await;
        std::process::exit(i32::from(again.exit_code()));
    });
    Ok(closing)
}

fn conclude(args: &RunArgs, report: &Report) -> ExitCode {
    if let Some(path) = &args.json
        && let Err(error) = report.write_json(path)
    {
        return fail(&format!("{} cannot be written: {error}", path.display()), Exit::Failed);
    }
    let failures = report.failures();
    for failure in &failures {
        eprintln!("bank: {failure}");
    }
    if failures.is_empty() {
        println!("nothing was lost");
    } else {
        eprintln!("bank: run it again with --seed {} --log info to see why", args.seed);
    }
    Exit::of(report).into()
}

fn fail(sentence: &str, exit: Exit) -> ExitCode {
    eprintln!("bank: {sentence}");
    exit.into()
}

/// A bar on a terminal; nothing where there is none, or where a log would be torn by it.
fn progress_bar(args: &RunArgs, logging: bool) -> ProgressBar {
    if logging || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    if args.lasts.is_some() {
        let style = ProgressStyle::with_template("{spinner} {pos} transfers, {per_sec}, {elapsed} {msg}");
        let spinner = ProgressBar::new_spinner();
        spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        return spinner;
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} transfers, {per_sec}, {eta} left {msg}");
    let bar = ProgressBar::new(args.count);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
