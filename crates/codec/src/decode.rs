//! One envelope back into its value, or a typed error.
//! Takes exactly one envelope; cutting a stream into envelopes is somebody else's work.

use serde::de::DeserializeOwned;

use crate::{DecodeError, MessageType, envelope, payload};

/// The value in `bytes`, which must be one whole envelope of the `expected` type and nothing more.
///
/// # Errors
/// A [`DecodeError`] for everything that is not exactly that; hostile bytes neither panic nor make this
/// function allocate for lengths that they merely claim.
pub fn decode<T: DeserializeOwned>(expected: MessageType, bytes: &[u8]) -> Result<T, DecodeError> {
    let payload = envelope::open(expected, bytes)?;
    let (value, used) =
        payload::read(payload).map_err(|why| DecodeError::Payload { message_type: expected, why })?;
    match payload.len() - used {
        0 => Ok(value),
        extra => Err(DecodeError::PayloadTrailing { message_type: expected, extra }),
    }
}
