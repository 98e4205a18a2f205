//! Runs process scenarios of the OTP oracle on minder's actors and prints their traces, in the oracle's format.
//!
//! `proc-scenarios [--stats] FILE...`, where `-` is standard input. A line that is no scenario ends it with code 2,
//! before anything is run.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Instant;

use minder_tests::procs;

const USAGE: &str = "usage: proc-scenarios [--stats] FILE...   (- is standard input)";

fn main() -> ExitCode {
    let (mut files, mut stats) = (Vec::new(), false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--stats" => stats = true,
            "--help" => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            option if option.starts_with("--") => {
                return refuse(&format!("unknown option {option}\n{USAGE}"));
            }
            _ => files.push(argument),
        }
    }
    if files.is_empty() {
        return refuse(USAGE);
    }
    let mut scenarios = Vec::new();
    for file in &files {
        let text = match text_of(file) {
            Ok(text) => text,
            Err(error) => return refuse(&format!("{file}: {error}")),
        };
        match procs::read(&text) {
            Ok(read) => scenarios.extend(read),
            Err(bad) => return refuse(&format!("{file}: {bad}")),
        }
    }
    let began = now();
    let mut out = std::io::stdout().lock();
    for scenario in &scenarios {
        // Whoever reads has turned away: fine.
        if out.write_all(procs::run(scenario).as_bytes()).is_err() {
            return ExitCode::SUCCESS;
        }
    }
    if stats {
        let took = now().duration_since(began);
        let rate = scenarios.len() as f64 / took.as_secs_f64().max(f64::EPSILON);
        eprintln!("{} scenarios, {} ms, {rate:.0} a second", scenarios.len(), took.as_millis());
    }
    ExitCode::SUCCESS
}

fn text_of(file: &str) -> std::io::Result<String> {
    if file != "-" {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("proc-scenarios: {why}");
    ExitCode::from(2)
}

#[expect(clippy::disallowed_methods, reason = "how long it took, for whoever waited")]
fn now() -> Instant {
    Instant::now()
}
