//! The header in front of every payload: written, read, and held against the bytes it describes.
//! Knows nothing of what is inside; see `payload.rs`.

use crate::{DecodeError, MessageType};

/// The length of the header in front of every payload.
pub const HEADER_BYTES: usize = 18;

const MAGIC: [u8; 4] = *b"mndr";
const FORMAT: u8 = 1;
const CODEC_BINCODE_2_STANDARD: u8 = 1;
/// The header up to its checksum, which covers these bytes and the payload.
const COVERED: usize = 14;

/// The header of `payload`.
pub(crate) fn header(message_type: MessageType, payload: &[u8]) -> [u8; HEADER_BYTES] {
    let length = u32::try_from(payload.len()).expect("every limit fits into 32 bits");
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&MAGIC);
    header[4] = FORMAT;
    header[5] = CODEC_BINCODE_2_STANDARD;
    header[6..8].copy_from_slice(&message_type.number().to_le_bytes());
    header[8..10].copy_from_slice(&message_type.schema().to_le_bytes());
    header[10..14].copy_from_slice(&length.to_le_bytes());
    let checksum = checksum(&header[..COVERED], payload);
    header[14..].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// The payload in `bytes`, once the header was found to be true in every field.
///
/// Type and schema come last: an envelope of "another type" is never said of damaged bytes.
pub(crate) fn open(expected: MessageType, bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Err(DecodeError::Truncated { needed: HEADER_BYTES, found: bytes.len() });
    };
    let &[m0, m1, m2, m3, format, codec, n0, n1, s0, s1, l0, l1, l2, l3, c0, c1, c2, c3] = header;
    if [m0, m1, m2, m3] != MAGIC {
        return Err(DecodeError::NotAnEnvelope { found: [m0, m1, m2, m3] });
    }
    if format != FORMAT {
        return Err(DecodeError::OtherFormat { expected: FORMAT, found: format });
    }
    if codec != CODEC_BINCODE_2_STANDARD {
        return Err(DecodeError::OtherCodec { expected: CODEC_BINCODE_2_STANDARD, found: codec });
    }
    let announced = u32::from_le_bytes([l0, l1, l2, l3]);
    // Where a usize is smaller than 32 bits, "too long" is still the right answer.
    let length = usize::try_from(announced).unwrap_or(usize::MAX);
    let limit = expected.limit().bytes();
    if length > limit {
        return Err(DecodeError::TooLong { length, limit });
    }
    let Some((payload, trailing)) = rest.split_at_checked(length) else {
        return Err(DecodeError::Truncated { needed: HEADER_BYTES + length, found: bytes.len() });
    };
    if !trailing.is_empty() {
        return Err(DecodeError::Trailing { extra: trailing.len() });
    }
    let written = u32::from_le_bytes([c0, c1, c2, c3]);
    let found = checksum(&header[..COVERED], payload);
    if written != found {
        return Err(DecodeError::Checksum { expected: written, found });
    }
    let number = u16::from_le_bytes([n0, n1]);
    if number != expected.number() {
        return Err(DecodeError::OtherType { expected: expected.number(), found: number });
    }
    let schema = u16::from_le_bytes([s0, s1]);
    if schema != expected.schema() {
        return Err(DecodeError::OtherSchema { number, expected: expected.schema(), found: schema });
    }
    Ok(payload)
}

fn checksum(covered: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(covered);
    hasher.update(payload);
    hasher.finalize()
}
