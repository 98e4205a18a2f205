//! `bank generate`: a file of transfers, from a seed. `choice.rs` says between which accounts, `broken.rs` how a line
//! can be spoilt for tests. Writes as it goes: memory is a line and the file's buffer.

mod broken;
mod choice;

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::value_parser;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;

pub use choice::Shape;

use self::broken::{KINDS, Places};
use self::choice::Choice;
use crate::config::{BadShape, BankConfig};
use crate::exit::Exit;
use crate::input::is_packed;
use crate::transfers::{Transfer, TransferId};
use crate::workload::START_MS;

/// Amounts are from 1 to this, as in runs without a file.
const MOST_CENTS: u64 = 5_000;

/// What the file is to be.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = "Examples:\n  \
    bank generate --count 1000000 --accounts 10000 -o transfers.csv.gz\n  \
    bank generate --count 100000 --shape zipf | bank run --transfers -")]
pub struct GenerateArgs {
    /// How many lines, without the header
    #[arg(long, value_name = "N", default_value_t = 120_000)]
    pub count: u64,

    /// How many accounts the bank has that is to run the file
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub accounts: u32,

    /// How many partitions it has; a transfer stays within one
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub partitions: u16,

    /// Where every choice comes from; equal arguments make equal files
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Which accounts the transfers are between
    #[arg(long, value_name = "SHAPE", default_value = "uniform")]
    pub shape: Shape,

    /// How many clients the ids come from, in turn; the ids are in the order of time
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = value_parser!(u32).range(1..))]
    pub clients: u32,

    /// Make ids in no order at all: the worst that a store can get
    #[arg(long, conflicts_with = "clients")]
    pub random_ids: bool,

    /// Spoil so many lines in ten different ways, and name them on standard error
    #[arg(long, value_name = "N", default_value_t = 0, hide = true)]
    pub broken: u64,

    /// Where to write; a name that ends in .gz is packed, and `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,
}

/// Why there is no file.
#[derive(Debug)]
#[non_exhaustive]
pub enum GenerateError {
    /// No bank can have this shape.
    Shape(BadShape),
    /// More lines are to be spoilt than there are.
    TooManyBroken,
    /// The file cannot be written.
    Write(PathBuf, io::Error),
}

impl GenerateError {
    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Shape(_) | Self::TooManyBroken => Exit::BadConfiguration,
            Self::Write(..) => Exit::Failed,
        }
    }
}

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::TooManyBroken => f.write_str("more lines are to be broken than there are"),
            Self::Write(path, error) => write!(f, "{} cannot be written: {error}", path.display()),
        }
    }
}

impl std::error::Error for GenerateError {}

/// Runs the command and says on standard error why it could not.
pub fn run(args: &GenerateArgs) -> ExitCode {
    super::conclude(generate(args), GenerateError::exit)
}

/// Writes the file. A reader of standard output that has seen enough is no error.
///
/// # Errors
/// See [`GenerateError`].
pub fn generate(args: &GenerateArgs) -> Result<(), GenerateError> {
    BankConfig::new(args.accounts, args.partitions).check().map_err(GenerateError::Shape)?;
    if args.broken > args.count {
        return Err(GenerateError::TooManyBroken);
    }
    let written = Out::create(&args.output).and_then(|mut out| {
        write_lines(args, &mut out, io::stderr().lock())?;
        out.finish()
    });
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && is_stdout(&args.output) => Ok(()),
        written => written.map_err(|error| GenerateError::Write(args.output.clone(), error)),
    }
}

fn write_lines(args: &GenerateArgs, out: &mut impl Write, mut names: impl Write) -> io::Result<()> {
    let mut rng = Rng::with_seed(args.seed);
    let choice = Choice::new(args.shape, args.accounts, args.partitions);
    let mut places = Places::new(args.seed, args.count, args.broken);
    writeln!(out, "id,from,to,cents")?;
    for index in 0..args.count {
        let id = if args.random_ids { random_id(&mut rng) } else { timely_id(index, args.clients) };
        let (from, to) = choice.pair(&mut rng);
        let transfer = Transfer { id, from, to, cents: 1 + rng.u64(..MOST_CENTS) };
        match places.broken_at(index) {
            None => {
                let Transfer { id, from, to, cents } = transfer;
                writeln!(out, "{id},{},{},{cents}", from.0, to.0)?;
            }
            Some(nth) => {
                let (kind, spoil) = KINDS[nth % KINDS.len()];
                out.write_all(&spoil(&transfer))?;
                out.write_all(b"\n")?;
                // The header is line 1.
                writeln!(names, "line {}: {kind}", index + 2)?;
            }
        }
    }
    Ok(())
}

/// Ids of clients in turn, a round of them in a millisecond: the order of time, as a store likes it.
fn timely_id(index: u64, clients: u32) -> TransferId {
    let (round, client) = (index / u64::from(clients), index % u64::from(clients));
    let client = u32::try_from(client).expect("a remainder is smaller than its 32-bit divisor");
    TransferId::new(START_MS.wrapping_add(round), client, round + 1)
}

fn random_id(rng: &mut Rng) -> TransferId {
    TransferId(rng.u128(..))
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// Where the lines go.
enum Out {
    Plain(BufWriter<Box<dyn Write>>),
    Packed(Box<GzEncoder<BufWriter<File>>>),
}

impl Out {
    fn create(path: &Path) -> io::Result<Self> {
        const BUFFER_BYTES: usize = 1 << 16;
        if is_stdout(path) {
            return Ok(Self::Plain(BufWriter::with_capacity(BUFFER_BYTES, Box::new(io::stdout().lock()))));
        }
        let file = File::create(path)?;
        Ok(if is_packed(path) {
            let file = BufWriter::with_capacity(BUFFER_BYTES, file);
            Self::Packed(Box::new(GzEncoder::new(file, Compression::fast())))
        } else {
            Self::Plain(BufWriter::with_capacity(BUFFER_BYTES, Box::new(file)))
        })
    }

    /// Writes what is still in memory, and the end of a packed file.
    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Packed(packer) => packer.finish()?.flush(),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Packed(packer) => packer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Packed(packer) => packer.flush(),
        }
    }
}

#[cfg(test)]
mod tests;
