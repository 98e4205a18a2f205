//! Who runs scenarios: OTP, by the program in `tests/otp`, and we. Both take lines and give traces.
//! Does not compare.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{otp, procs};

/// What kind of scenario it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tree, and what is done to it.
    Supervisors,
    /// Processes, and what they do to each other.
    Processes,
}

/// The scenarios of this kind that are kept with what OTP did.
///
/// # Errors
/// Their folder or a file of it cannot be read.
pub fn stored(kind: Kind) -> std::io::Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(match kind {
        Kind::Supervisors => "otp",
        Kind::Processes => "otp/procs",
    });
    let paths: std::io::Result<Vec<PathBuf>> = folder.read_dir()?.map(|entry| Ok(entry?.path())).collect();
    let mut scenarios = Vec::new();
    for path in paths?.iter().filter(|path| path.extension().is_some_and(|extension| extension == "sc")) {
        let text = std::fs::read_to_string(path)?;
        scenarios.extend(text.lines().filter(|line| line.starts_with('(')).map(str::to_owned));
    }
    Ok(scenarios)
}

/// The traces that these scenarios leave here, with error reports.
///
/// # Errors
/// A line that is no scenario, and what was expected of it.
pub fn ours(kind: Kind, lines: &[String]) -> Result<String, String> {
    let text = lines.join("\n");
    Ok(match kind {
        Kind::Supervisors => {
            let scenarios = otp::read(&text).map_err(|bad| bad.to_string())?;
            scenarios.iter().map(|scenario| otp::run(scenario, otp::Options { reports: true })).collect()
        }
        Kind::Processes => {
            let scenarios = procs::read(&text).map_err(|bad| bad.to_string())?;
            scenarios.iter().map(procs::run).collect()
        }
    })
}

/// Erlang is not installed.
#[derive(Clone, Copy, Debug)]
pub struct NoPeer;

impl fmt::Display for NoPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "there is no `escript` here, so nothing can be run on OTP: install Erlang/OTP 24 or later \
             (Debian: apt-get install erlang-base)",
        )
    }
}

impl std::error::Error for NoPeer {}

/// OTP did not do what it was asked to.
#[derive(Debug)]
pub enum PeerError {
    /// The program could not be started, or what it says could not be read.
    Io(std::io::Error),
    /// It ended with an error; what it said of that.
    Failed(String),
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "OTP cannot be run: {error}"),
            Self::Failed(said) => write!(f, "OTP's side failed: {}", said.trim()),
        }
    }
}

impl std::error::Error for PeerError {}

impl From<std::io::Error> for PeerError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// OTP, as it is installed.
#[derive(Debug)]
pub struct Otp {
    script: PathBuf,
    release: String,
}

impl Otp {
    /// # Errors
    /// [`NoPeer`] if there is no `escript`.
    pub fn find() -> Result<Self, NoPeer> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("otp/peer.escript");
        let said = Command::new("escript").arg(&script).arg("--release").output().map_err(|_| NoPeer)?;
        let release = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        Ok(Self { script, release })
    }

    /// Which release it is.
    pub fn release(&self) -> &str {
        &self.release
    }

    /// The traces that these scenarios leave in OTP, with error reports; so many of them run at once.
    ///
    /// # Errors
    /// What went wrong with the program: see [`PeerError`].
    pub fn run(&self, kind: Kind, lines: &[String], jobs: usize) -> Result<String, PeerError> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(lines.join("\n").as_bytes())?;
        let options: &[&str] = match kind {
            Kind::Supervisors => &["--reports"],
            Kind::Processes => &["--procs"],
        };
        let mut command = Command::new("escript");
        command.arg(&self.script).args(options).arg("--jobs").arg(jobs.to_string()).arg(file.path());
        let done = command.stdin(Stdio::null()).output()?;
        match done.status.success() {
            true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
            false => Err(PeerError::Failed(String::from_utf8_lossy(&done.stderr).into_owned())),
        }
    }
}
