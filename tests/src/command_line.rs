//! The command line that both scenario runners have: files or standard input, all of it read before anything is run.

use std::fmt::Display;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Instant;

/// One runner.
#[derive(Clone, Copy, Debug)]
pub struct CommandLine {
    /// What it is called.
    pub name: &'static str,
    /// The options that it has beside `--stats` and `--help`.
    pub options: &'static [&'static str],
}

impl CommandLine {
    /// Reads scenarios from the files that the program's arguments name, where `-` is standard input, and prints what
    /// each comes to; `run` is also given the options. A file or a line that cannot be read ends it with code 2, before
    /// anything is run.
    pub fn main<S, E: Display>(
        self,
        read: impl Fn(&str) -> Result<Vec<S>, E>,
        run: impl Fn(&S, &[String]) -> String,
    ) -> ExitCode {
        let (options, files): (Vec<String>, Vec<String>) =
            std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
        if options.iter().any(|option| option == "--help") {
            println!("{}", self.usage());
            return ExitCode::SUCCESS;
        }
        let is_known = |option: &str| option == "--stats" || self.options.contains(&option);
        if let Some(option) = options.iter().find(|option| !is_known(option)) {
            return self.refuse(&format!("unknown option {option}\n{}", self.usage()));
        }
        if files.is_empty() {
            return self.refuse(&self.usage());
        }
        let mut scenarios = Vec::new();
        for file in &files {
            let text = match text_of(file) {
                Ok(text) => text,
                Err(error) => return self.refuse(&format!("{file}: {error}")),
            };
            match read(&text) {
                Ok(read) => scenarios.extend(read),
                Err(bad) => return self.refuse(&format!("{file}: {bad}")),
            }
        }
        let began = now();
        let mut out = std::io::stdout().lock();
        for scenario in &scenarios {
            // Whoever reads has turned away: fine.
            if out.write_all(run(scenario, &options).as_bytes()).is_err() {
                return ExitCode::SUCCESS;
            }
        }
        if options.iter().any(|option| option == "--stats") {
            let took = now().duration_since(began);
            let rate = scenarios.len() as f64 / took.as_secs_f64().max(f64::EPSILON);
            eprintln!("{} scenarios, {} ms, {rate:.0} a second", scenarios.len(), took.as_millis());
        }
        ExitCode::SUCCESS
    }

    fn usage(self) -> String {
        let options: String = self.options.iter().map(|option| format!(" [{option}]")).collect();
        format!("usage: {}{options} [--stats] FILE...   (- is standard input)", self.name)
    }

    fn refuse(self, why: &str) -> ExitCode {
        eprintln!("{}: {why}", self.name);
        ExitCode::from(2)
    }
}

fn text_of(file: &str) -> std::io::Result<String> {
    if file != "-" {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

#[expect(clippy::disallowed_methods, reason = "how long it took, for whoever waited")]
fn now() -> Instant {
    Instant::now()
}
