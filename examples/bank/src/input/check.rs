//! What can be known of a source before anything of it is applied: of its head, or of every line. Only for sources that
//! can be read twice, for they are. Keeps nothing but the first bad lines.

use super::bad_line::BadLines;
use super::reader::{Line, TransferReader};
use super::{InputError, Source};

/// Reads the beginning of `source`: whether it can be opened and unpacked, and whether the columns are ours.
///
/// # Errors
/// What hinders reading.
pub fn check_head(source: &Source) -> Result<(), InputError> {
    let mut reader = TransferReader::new(source.name(), source.open()?);
    reader.next().transpose().map(drop)
}

/// What a check has found in a source without bad lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How many transfers there are.
    pub transfers: u64,
}

/// Reads all of `source` and names the first hundred bad lines.
///
/// # Errors
/// [`InputError::Refused`] if there is a bad line; otherwise what hinders reading.
pub fn check(source: &Source) -> Result<Checked, InputError> {
    let name = source.name();
    let mut reader = TransferReader::new(name.clone(), source.open()?);
    let (mut transfers, mut bad) = (0, BadLines::default());
    for line in reader.by_ref() {
        match line? {
            Line::Transfer(_) => transfers += 1,
            Line::Bad(line) => bad.add(line, &name),
        }
    }
    bad.name_the_rest(&name);
    if bad.count() > 0 {
        return Err(InputError::Refused { name, lines: reader.lines(), bad });
    }
    Ok(Checked { transfers })
}
