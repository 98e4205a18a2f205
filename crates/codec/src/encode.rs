//! A value into its envelope, at the end of a buffer that the caller reuses.
//! Refuses what `decode` would refuse for its size.

use serde::Serialize;

use crate::{EncodeError, HEADER_BYTES, MessageType, envelope, payload};

/// Appends `value` in its envelope to `into`; clear the buffer first to reuse it for one envelope.
///
/// # Errors
/// [`EncodeError::TooLong`] beyond the limit of the type, noticed before the buffer grows past it;
/// [`EncodeError::Unsupported`] if the value does not fit this format. `into` is then as it was.
pub fn encode<T: Serialize + ?Sized>(
    message_type: MessageType,
    value: &T,
    into: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let start = into.len();
    into.extend_from_slice(&[0; HEADER_BYTES]);
    let body = start + HEADER_BYTES;
    if let Err(refused) = payload::write(value, into, message_type.limit()) {
        into.truncate(start);
        return Err(match refused {
            payload::Refused::TooLong => EncodeError::TooLong { message_type },
            payload::Refused::Unsupported(why) => EncodeError::Unsupported { message_type, why },
        });
    }
    let header = envelope::header(message_type, &into[body..]);
    into[start..body].copy_from_slice(&header);
    Ok(())
}
