//! Bytes on disk and on the wire: an envelope around a bincode payload, with a limit on both sides.
//! This crate is the only place that names bincode. Nothing inside one process is ever encoded.
//! It does not do files, framing on a stream, or migration between schema versions.
//!
//! # The envelope
//!
//! All integers are little endian; the header is [`HEADER_BYTES`] long.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | magic, `mndr` |
//! | 4 | 1 | format version of this header |
//! | 5 | 1 | codec of the payload (1 = bincode 2 standard configuration) |
//! | 6 | 2 | message type: number |
//! | 8 | 2 | message type: schema version |
//! | 10 | 4 | payload length |
//! | 14 | 4 | CRC-32 of the 14 bytes above and the payload |
//! | 18 | n | payload |
//!
//! # What decoding promises
//!
//! * Every error is a [`DecodeError`] that says what, where and what to do; hostile bytes never panic.
//! * The length is held against the limit of the type and against the input before anything is decoded.
//!   Bytes left over, behind the envelope or inside the payload, are an error.
//! * No length inside a payload is believed before it is held against the payload's own length: a claimed
//!   gigabyte in twenty bytes allocates nothing.
//! * [`encode`] refuses what [`decode`] would refuse for its size: both take the limit from [`MessageType`].
//!
//! # What a type must be
//!
//! The format carries no schema, so a changed type needs a new schema version. Types that hold themselves
//! (`Box<Self>`, `Vec<Self>`) are against the policy: a value nested deeper than [`MAX_DEPTH`] is refused on
//! decoding instead of overflowing the stack. Sequences of values that take no bytes (`Vec<()>`) are refused as
//! soon as they are longer than the payload. `#[serde(flatten, untagged, tag, skip_serializing_if)]` need a
//! self-describing format and lose data here.
//!
//! ```
//! use minder_codec::{DecodeError, Limit, MessageType, decode, encode};
//!
//! #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
//! struct Greeting {
//!     from: String,
//!     times: u32,
//! }
//! const GREETING: MessageType = MessageType::new(7, 1, Limit::Record);
//!
//! let mut bytes = Vec::new();
//! encode(GREETING, &Greeting { from: "ada".into(), times: 3 }, &mut bytes)?;
//! let greeting: Greeting = decode(GREETING, &bytes)?;
//! assert_eq!(greeting.times, 3);
//!
//! bytes[20] ^= 1; // one bit rots
//! assert!(matches!(decode::<Greeting>(GREETING, &bytes), Err(DecodeError::Checksum { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decode;
mod encode;
mod envelope;
mod error;
mod limit;
mod message_type;
mod payload;
mod strict;

pub use decode::decode;
pub use encode::encode;
pub use envelope::HEADER_BYTES;
pub use error::{DecodeError, EncodeError};
pub use limit::Limit;
pub use message_type::MessageType;
pub use strict::MAX_DEPTH;
