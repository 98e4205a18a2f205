//! Writes the page of OTP's promises and what minder does: to standard output, or with `--write` to
//! docs/otp-conformance.md. Ends with 1 if something is wrong with the rows or the tests that name them, which a test
//! of the repository finds out too.

use std::path::Path;
use std::process::ExitCode;

use minder_tests::conformance::{Conformance, PAGE};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let write = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--write"] => true,
        _ => {
            eprintln!("usage: conformance [--write]");
            return ExitCode::from(2);
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let conformance = match Conformance::of_checkout(&root) {
        Ok(conformance) => conformance,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    if !write {
        print!("{}", conformance.page());
    } else if let Err(error) = std::fs::write(root.join(PAGE), conformance.page()) {
        eprintln!("{PAGE}: {error}");
        return ExitCode::from(2);
    }
    let wrong = conformance.wrong();
    wrong.iter().for_each(|wrong| eprintln!("{wrong}"));
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
