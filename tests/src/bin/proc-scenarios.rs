//! Runs process scenarios of the OTP oracle on minder's actors and prints their traces, in the oracle's format.
//!
//! `proc-scenarios [--stats] FILE...`, where `-` is standard input.

use std::process::ExitCode;

use minder_tests::command_line::CommandLine;
use minder_tests::procs;

fn main() -> ExitCode {
    let line = CommandLine { name: "proc-scenarios", options: &[] };
    line.main(procs::read, |scenario, _| procs::run(scenario))
}
