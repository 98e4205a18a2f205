//! Runs scenarios of the OTP oracle on minder's supervisors and prints their traces, in the oracle's format.
//!
//! `otp-scenarios [--reports] [--stats] FILE...`, where `-` is standard input; `--reports` prints error reports as well.

use std::process::ExitCode;

use minder_tests::command_line::CommandLine;
use minder_tests::otp::{self, Options};

fn main() -> ExitCode {
    let line = CommandLine { name: "otp-scenarios", options: &["--reports"] };
    line.main(otp::read, |scenario, given| {
        otp::run(scenario, Options { reports: given.iter().any(|option| option == "--reports") })
    })
}
