//! What can be wrong with bytes, or with a value on its way to bytes.
//! Each text says what, where, and what to do. The words of bincode are passed on as text, never as its types.

use core::fmt;

use crate::MessageType;

/// Why a value was not encoded. The buffer is as it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The payload would be longer than the limit of its type.
    TooLong {
        /// The type of the value.
        message_type: MessageType,
    },
    /// The value cannot be put into this format at all.
    Unsupported {
        /// The type of the value.
        message_type: MessageType,
        /// What the codec or the type's own `Serialize` had to say.
        why: String,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { message_type } => write!(
                f,
                "a value of {message_type} is longer than the {} bytes of its limit; \
                 split it, or give the type a larger limit",
                message_type.limit().bytes()
            ),
            Self::Unsupported { message_type, why } => write!(
                f,
                "a value of {message_type} cannot be encoded: {why}; \
                 see the crate's documentation for what a type must be"
            ),
        }
    }
}

impl core::error::Error for EncodeError {}

/// Why bytes were not decoded. Nothing about them is to be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes than the header, or than the payload that the header announces.
    Truncated {
        /// How many bytes an envelope of this header has.
        needed: usize,
        /// How many there were.
        found: usize,
    },
    /// The first bytes are not an envelope's.
    NotAnEnvelope {
        /// What stands where the magic should.
        found: [u8; 4],
    },
    /// The header is of another version of this crate.
    OtherFormat {
        /// The version this crate reads.
        expected: u8,
        /// The version in the header.
        found: u8,
    },
    /// The payload was written by another codec.
    OtherCodec {
        /// The codec this crate reads.
        expected: u8,
        /// The codec in the header.
        found: u8,
    },
    /// The announced payload is longer than the expected type allows.
    TooLong {
        /// The announced length in bytes.
        length: usize,
        /// The limit of the expected type in bytes.
        limit: usize,
    },
    /// More bytes than the envelope has.
    Trailing {
        /// How many bytes follow the envelope.
        extra: usize,
    },
    /// The checksum does not fit: the bytes are damaged.
    Checksum {
        /// The checksum in the header.
        expected: u32,
        /// The checksum of the bytes.
        found: u32,
    },
    /// An undamaged envelope of another message type.
    OtherType {
        /// The number that was asked for.
        expected: u16,
        /// The number in the envelope.
        found: u16,
    },
    /// An undamaged envelope of the right type in another version of its schema.
    OtherSchema {
        /// The number of the type.
        number: u16,
        /// The version that was asked for.
        expected: u16,
        /// The version in the envelope.
        found: u16,
    },
    /// The checksum fits, but the payload is not a value of the asked type.
    Payload {
        /// The type that was asked for.
        message_type: MessageType,
        /// What did not fit.
        why: String,
    },
    /// The value ended before its payload did.
    PayloadTrailing {
        /// The type that was asked for.
        message_type: MessageType,
        /// How many bytes of the payload are left over.
        extra: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { needed, found } => {
                write!(
                    f,
                    "the envelope is cut off: {found} bytes of at least {needed}; read or restore the rest"
                )
            }
            Self::NotAnEnvelope { found } => {
                write!(
                    f,
                    "not an envelope: it begins with {found:02x?} instead of \"mndr\"; check where it came from"
                )
            }
            Self::OtherFormat { expected, found } => write!(
                f,
                "the header at byte 4 is of format {found}, this build reads {expected}; use the build that wrote it"
            ),
            Self::OtherCodec { expected, found } => write!(
                f,
                "the payload at byte 5 names codec {found}, this build reads {expected}; use the build that wrote it"
            ),
            Self::TooLong { length, limit } => write!(
                f,
                "the header at byte 10 announces {length} bytes, the limit of the type is {limit}; \
                 do not trust its sender"
            ),
            Self::Trailing { extra } => {
                write!(f, "{extra} bytes follow the envelope; hand over one envelope at a time")
            }
            Self::Checksum { expected, found } => write!(
                f,
                "damaged: the checksum at byte 14 is {expected:08x}, the bytes have {found:08x}; restore them from a copy"
            ),
            Self::OtherType { expected, found } => {
                write!(
                    f,
                    "an envelope of type {found} where type {expected} was expected; check which reader it belongs to"
                )
            }
            Self::OtherSchema { number, expected, found } => write!(
                f,
                "type {number} in schema version {found}, this build reads {expected}; migrate it or use the build that wrote it"
            ),
            Self::Payload { message_type, why } => write!(
                f,
                "the payload is not a value of {message_type}: {why}; \
                 if the type was changed, its schema version must change too"
            ),
            Self::PayloadTrailing { message_type, extra } => write!(
                f,
                "{extra} bytes of the payload are left after a value of {message_type}; \
                 if the type was changed, its schema version must change too"
            ),
        }
    }
}

impl core::error::Error for DecodeError {}
