//! Where transfers come from: a file, standard input, or what was put aside of it. Unpacks what is packed.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::InputError;

/// What is read at a time.
const BUFFER_BYTES: usize = 1 << 16;
/// The name of what was put aside, in the run's directory.
const SPOOL_FILE: &str = "transfers.spool.csv";
/// Roughly how long a line is, packed and not; for guesses.
const LINE_BYTES: (u64, u64) = (14, 48);

/// Where transfers come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Standard input, which can be read once.
    Stdin,
    /// A file, a pipe or a device.
    File(PathBuf),
    /// What was put aside of a source that can be read once.
    Spool(Arc<Spool>),
}

impl Source {
    /// The source of this name; `-` is standard input.
    pub fn named(path: &Path) -> Self {
        if path == Path::new("-") { Self::Stdin } else { Self::File(path.to_owned()) }
    }

    /// Its name, for people.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Spool(spool) => spool.of.clone(),
        }
    }

    /// Opens it, unpacked.
    ///
    /// # Errors
    /// [`InputError::Open`].
    pub fn open(&self) -> Result<BufReader<Box<dyn Read + Send>>, InputError> {
        let opened = |error| InputError::Open { name: self.name(), error };
        let file: Box<dyn Read + Send> = match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::File(path) => open_file(path).map_err(opened)?,
            Self::Spool(spool) => Box::new(File::open(&spool.path).map_err(opened)?),
        };
        Ok(BufReader::with_capacity(BUFFER_BYTES, file))
    }

    /// Whether it will say the same again.
    pub fn can_be_read_twice(&self) -> bool {
        match self {
            Self::Stdin => false,
            // Of what is not there, opening tells.
            Self::File(path) => fs::metadata(path).map_or(true, |file| file.is_file()),
            Self::Spool(_) => true,
        }
    }

    /// Roughly how many lines it has, from its size, if it has one.
    pub fn guess_lines(&self) -> Option<u64> {
        let (path, bytes) = match self {
            Self::Stdin => return None,
            Self::File(path) if is_packed(path) => (path, LINE_BYTES.0),
            Self::File(path) => (path, LINE_BYTES.1),
            Self::Spool(spool) => (&spool.path, LINE_BYTES.1),
        };
        let file = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some((file.len() / bytes).max(1))
    }

    /// Puts it aside in `dir`, so that it can be read twice.
    ///
    /// # Errors
    /// [`InputError::Open`], or [`InputError::Spool`].
    pub fn put_aside(&self, dir: &Path) -> Result<Self, InputError> {
        let mut from = self.open()?;
        let spool = Spool { path: dir.join(SPOOL_FILE), of: self.name() };
        let copied = fs::create_dir_all(dir).and_then(|()| {
            let mut to = File::create(&spool.path)?;
            io::copy(&mut from, &mut to)
        });
        match copied {
            Ok(_) => Ok(Self::Spool(Arc::new(spool))),
            Err(error) => Err(InputError::Spool { path: spool.path.clone(), error }),
        }
    }
}

/// A file that holds what was read from elsewhere; it goes when nobody needs it any more.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    of: String,
}

impl Drop for Spool {
    fn drop(&mut self) {
        // What cannot be removed stays beside the bank and harms nobody.
        let _ = fs::remove_file(&self.path);
    }
}

fn open_file(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(if is_packed(path) { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Whether the name says that the file is packed.
pub(crate) fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("gz"))
}
