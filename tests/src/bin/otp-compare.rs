//! Runs scenarios that nobody has seen before on OTP and on minder, and says where the two differ.
//!
//! `otp-compare [--seed S] [--count N] [--procs] [--profile NAME] [--stored]`: a summary, and of each difference the
//! scenario, shrunk to the steps that it takes, with both traces. Ends with 0 if there is none, 1 if there is one, and 2 if
//! it cannot say. With `--stored` it runs those of `tests/otp` instead.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use minder_tests::compare::{Kind, Otp, Parting, PeerError, ours, parting, shrunk, stored, traces};
use minder_tests::otp::{Profile, random};
use minder_tests::procs;

const USAGE: &str = "usage: otp-compare [--seed S] [--count N] [--procs] [--profile NAME]... [--stored]";
/// So many programs on either side, so that two processors have something to do.
const SHARES: usize = 2;
/// Scenarios at once in one program: most of their time some wait for a window to pass.
const JOBS: usize = 128;
/// So many differences are shrunk and shown, the others are named.
const SHOWN: usize = 5;
/// How often OTP is asked again about a scenario that differs, alone and with nothing else to do.
const LOOKS: usize = 3;

struct Options {
    seed: u64,
    count: u64,
    kind: Kind,
    profiles: Vec<Profile>,
    stored: bool,
}

fn main() -> ExitCode {
    let options = match Options::of(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => return refuse(&why),
    };
    let otp = match Otp::find() {
        Ok(otp) => otp,
        Err(why) => return refuse(&why.to_string()),
    };
    match compare(&otp, &options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => refuse(&why),
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("otp-compare: {why}");
    ExitCode::from(2)
}

impl Options {
    fn of(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options =
            Self { seed: 1, count: 1_000, kind: Kind::Supervisors, profiles: Vec::new(), stored: false };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} stands without a value\n{USAGE}"));
            let number = |text: String| {
                text.parse().map_err(|_| format!("{argument} {text}: expected a number\n{USAGE}"))
            };
            match argument.as_str() {
                "--seed" => options.seed = number(value()?)?,
                "--count" => options.count = number(value()?)?,
                "--stored" => options.stored = true,
                "--procs" => options.kind = Kind::Processes,
                "--profile" => {
                    let name = value()?;
                    let known = Profile::ALL.into_iter().find(|profile| profile.name() == name);
                    let names = Profile::ALL.map(Profile::name).join(", ");
                    options.profiles.push(known.ok_or(format!("no profile {name}; there are {names}"))?);
                }
                _ => return Err(format!("unknown option {argument}\n{USAGE}")),
            }
        }
        if options.profiles.is_empty() {
            options.profiles = Profile::ALL.to_vec();
        }
        Ok(options)
    }

    /// # Errors
    /// A folder or a file of stored scenarios cannot be read.
    fn scenarios(&self) -> Result<Vec<String>, String> {
        if self.stored {
            return stored(self.kind).map_err(|error| format!("the stored scenarios: {error}"));
        }
        let scenario = |number: u64| match self.kind {
            Kind::Supervisors => {
                let profile = self.profiles[usize::try_from(number).unwrap_or(0) % self.profiles.len()];
                random::scenario(self.seed, number, profile)
            }
            Kind::Processes => procs::random::scenario(self.seed, number),
        };
        Ok((0..self.count).map(scenario).collect())
    }
}

/// Whether both sides agree; prints what came of it.
fn compare(otp: &Otp, options: &Options) -> Result<bool, String> {
    let lines = options.scenarios()?;
    let (expected, otp_took) = shared(&lines, |share| Ok(otp.run(options.kind, share, JOBS)?))?;
    let (came, we_took) = shared(&lines, |share| Ok(ours(options.kind, share)?))?;
    let (expected, came) = (traces(&expected), traces(&came));
    let mut differing = Vec::new();
    let mut unsettled = Vec::new();
    for line in &lines {
        let name = line.split(' ').nth(1).unwrap_or("");
        let (Some(expected), Some(came)) = (expected.get(name), came.get(name)) else {
            return Err(format!("{name} was not run on both sides"));
        };
        if parting(expected, came).is_some() {
            match differs_again(otp, options.kind, line).map_err(|error| error.to_string())? {
                true => differing.push(line),
                false => unsettled.push(name),
            }
        }
    }
    for line in differing.iter().take(SHOWN) {
        show(otp, options.kind, line).map_err(|error| error.to_string())?;
    }
    for line in differing.iter().skip(SHOWN) {
        println!("differs, too: {line}");
    }
    if !unsettled.is_empty() {
        println!(
            "OTP's own trace was another when it ran alone, and then the same as ours: {}",
            unsettled.join(", ")
        );
    }
    let rate = |took: Duration| (lines.len() as f64 / took.as_secs_f64().max(f64::EPSILON)) as u64;
    println!(
        "{}: {} agree with OTP {}, {} differ, of {} ({}; a second: {} on OTP, {} here)",
        match options.kind {
            Kind::Supervisors => "supervisor scenarios",
            Kind::Processes => "process scenarios",
        },
        lines.len() - differing.len(),
        otp.release(),
        differing.len(),
        lines.len(),
        if options.stored { "stored".to_owned() } else { format!("seed {}", options.seed) },
        rate(otp_took),
        rate(we_took),
    );
    Ok(differing.is_empty())
}

/// Runs the lines in shares, all at once, and puts together what comes of them.
fn shared(
    lines: &[String],
    run: impl Fn(&[String]) -> Result<String, Failure> + Sync,
) -> Result<(String, Duration), String> {
    let began = now();
    let size = lines.len().div_ceil(SHARES).max(1);
    let texts: Result<Vec<String>, Failure> = std::thread::scope(|scope| {
        let running: Vec<_> = lines.chunks(size).map(|share| scope.spawn(|| run(share))).collect();
        let joined =
            running.into_iter().map(|it| it.join().unwrap_or_else(|_| Err(Failure("it panicked".into()))));
        joined.collect()
    });
    Ok((texts.map_err(|Failure(why)| why)?.concat(), now().duration_since(began)))
}

struct Failure(String);

impl From<PeerError> for Failure {
    fn from(error: PeerError) -> Self {
        Self(error.to_string())
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self(why)
    }
}

/// Whether OTP, asked again, never leaves the trace that we do. Real time is part of its side, so a processor that was busy
/// elsewhere may have made a difference.
fn differs_again(otp: &Otp, kind: Kind, line: &String) -> Result<bool, PeerError> {
    for _ in 0..LOOKS {
        if !difference(otp, kind, std::slice::from_ref(line), 1)?[0] {
            return Ok(false);
        }
    }
    Ok(true)
}

fn difference(otp: &Otp, kind: Kind, lines: &[String], jobs: usize) -> Result<Vec<bool>, PeerError> {
    let expected = traces(&otp.run(kind, lines, jobs)?);
    let came = traces(&ours(kind, lines).map_err(PeerError::Failed)?);
    Ok(lines
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap_or(""))
        .map(|name| expected.get(name) != came.get(name))
        .collect())
}

fn show(otp: &Otp, kind: Kind, line: &str) -> Result<(), PeerError> {
    let line = shrunk(line, |candidates| difference(otp, kind, candidates, 8))?;
    let lines = [line];
    let (expected, came) = (otp.run(kind, &lines, 1)?, ours(kind, &lines).map_err(PeerError::Failed)?);
    let first = |text: &str| traces(text).into_values().next().unwrap_or_default();
    let parting: Option<Parting> = parting(&first(&expected), &first(&came));
    let at = parting.map_or("nowhere, this time".to_owned(), |at| at.to_string());
    println!("differs: {}\n\nat {at}\n\nOTP:\n{expected}\nminder:\n{came}", lines[0]);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "how long it took, for whoever waited")]
fn now() -> Instant {
    Instant::now()
}
