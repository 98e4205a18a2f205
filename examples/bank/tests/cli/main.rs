//! The binary as it is built, from outside: what it reads, how it dies and stops, what it logs.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

mod input;
mod logs;
mod process;
mod sizes;
mod stopping;

const BANK: &str = env!("CARGO_BIN_EXE_bank");

/// `bank run` with these arguments, on a bank in `dir`; its result goes to `result.json` there.
fn bank_run(dir: &Path, arguments: &str) -> Command {
    let mut command = Command::new(BANK);
    command.arg("run").args(arguments.split_whitespace());
    command.arg("--dir").arg(dir.join("bank")).arg("--json").arg(dir.join("result.json"));
    command.env_remove("RUST_LOG");
    command
}

/// What such a run left in `result.json`.
fn result(dir: &Path) -> Value {
    let bytes = std::fs::read(dir.join("result.json")).expect("it was written");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

/// All that it said, for messages.
fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
