//! The payload: bincode 2 in its standard configuration. No other file names bincode's functions or settings.
//! Writing stops at the limit; reading goes through `strict.rs` and under bincode's own limit as well.

use bincode::config::{Configuration, standard};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use bincode::serde::{encode_into_writer, seed_decode_from_slice};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Limit;
use crate::strict::Seed;

/// Why a value did not become a payload.
pub(crate) enum Refused {
    /// Longer than its limit.
    TooLong,
    /// Not to be expressed in this format.
    Unsupported(String),
}

/// Appends the payload of `value`, at most as many bytes as the limit allows.
pub(crate) fn write<T: Serialize + ?Sized>(
    value: &T,
    into: &mut Vec<u8>,
    limit: Limit,
) -> Result<(), Refused> {
    let mut bounded = Bounded { left: limit.bytes(), into, full: false };
    match encode_into_writer(value, &mut bounded, standard()) {
        Ok(()) => Ok(()),
        Err(_) if bounded.full => Err(Refused::TooLong),
        Err(other) => Err(Refused::Unsupported(other.to_string())),
    }
}

/// The value at the beginning of `payload`, and how many bytes it took.
///
/// The limit of bincode counts what a value may take in memory, and an integer of one byte here may take 16
/// there: a limit equal to the payload's length would refuse honest values. Sixteen times that is never
/// reached by an honest one, whatever the types are.
pub(crate) fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<(T, usize), String> {
    const RECORD: usize = Limit::Record.bytes();
    const MESSAGE: usize = Limit::Message.bytes();
    const CHECKPOINT: usize = Limit::Checkpoint.bytes();
    let seed = Seed::new(payload.len());
    let read = if payload.len() <= RECORD {
        seed_decode_from_slice(seed, payload, limited::<{ 16 * RECORD }>())
    } else if payload.len() <= MESSAGE {
        seed_decode_from_slice(seed, payload, limited::<{ 16 * MESSAGE }>())
    } else {
        seed_decode_from_slice(seed, payload, limited::<{ 16 * CHECKPOINT }>())
    };
    read.map_err(|error| error.to_string())
}

type Limited<const N: usize> =
    Configuration<bincode::config::LittleEndian, bincode::config::Varint, bincode::config::Limit<N>>;

fn limited<const N: usize>() -> Limited<N> {
    standard().with_limit::<N>()
}

/// A writer that refuses to outgrow its limit, and remembers that it did.
struct Bounded<'a> {
    into: &'a mut Vec<u8>,
    left: usize,
    full: bool,
}

impl Writer for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        match self.left.checked_sub(bytes.len()) {
            Some(left) => {
                self.left = left;
                self.into.extend_from_slice(bytes);
                Ok(())
            }
            None => {
                self.full = true;
                Err(EncodeError::UnexpectedEnd)
            }
        }
    }
}
