//! What goes over the socket: typed messages in the codec's envelope, each with its length in front.
//! A length beyond the limit of its type is refused before anything is read or kept for it. After an error the stream
//! has no next frame: whoever reads it closes it.

use std::fmt;

use minder_codec::{DecodeError, EncodeError, HEADER_BYTES, Limit, MessageType, decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::outcomes::{Answer, Outcome};
use crate::transfers::{Transfer, TransferId};

/// The length in front: that of the envelope, little endian.
const LENGTH_BYTES: usize = 4;
/// How much is read at once.
const READ_BYTES: usize = 16 << 10;

/// What can be sent.
pub(crate) trait Message: Serialize + DeserializeOwned {
    /// Its type in the envelope.
    const TYPE: MessageType;
}

/// A client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// The connection's number for it; comes back with the answer.
    pub(crate) request: u64,
    id: TransferId,
    from: AccountId,
    to: AccountId,
    cents: u64,
}

impl Message for Ask {
    const TYPE: MessageType = MessageType::new(0x0b11, 1, Limit::Record);
}

impl Ask {
    pub(crate) fn new(request: u64, transfer: Transfer) -> Self {
        let Transfer { id, from, to, cents } = transfer;
        Self { request, id, from, to, cents }
    }

    pub(crate) fn transfer(&self) -> Transfer {
        let Self { id, from, to, cents, .. } = *self;
        Transfer { id, from, to, cents }
    }
}

/// What the bank says to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// The number of the request.
    pub(crate) request: u64,
    /// What was said.
    pub(crate) says: Says,
}

impl Message for Told {
    const TYPE: MessageType = MessageType::new(0x0b12, 1, Limit::Record);
}

/// What the bank can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Says {
    /// It is on disk.
    Outcome(Outcome),
    /// The id is taken by other fields.
    Conflict,
    /// There will be no answer: ask again.
    AskAgain,
}

impl Says {
    /// The answer, if it is one.
    pub(crate) fn answer(self) -> Option<Answer> {
        match self {
            Self::Outcome(outcome) => Some(Answer::Outcome(outcome)),
            Self::Conflict => Some(Answer::Conflict),
            Self::AskAgain => None,
        }
    }
}

impl From<Answer> for Says {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Outcome(outcome) => Self::Outcome(outcome),
            Answer::Conflict => Self::Conflict,
        }
    }
}

/// Appends a message in its frame.
///
/// # Errors
/// If it cannot be encoded; nothing was appended then.
pub(crate) fn put<T: Message>(message: &T, into: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = into.len();
    into.extend_from_slice(&[0; LENGTH_BYTES]);
    let body = start + LENGTH_BYTES;
    if let Err(error) = encode(T::TYPE, message, into) {
        into.truncate(start);
        return Err(error);
    }
    let length = u32::try_from(into.len() - body).expect("every limit fits into 32 bits");
    into[start..body].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Cuts a stream of bytes into messages.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    /// What was taken out already.
    taken: usize,
}

impl Frames {
    /// Where the next bytes of the stream go, with room for some.
    pub(crate) fn room(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.reserve(READ_BYTES);
        &mut self.bytes
    }

    /// The next message, if all of it is there.
    ///
    /// # Errors
    /// [`FrameError`]; then there is no next one.
    pub(crate) fn next<T: Message>(&mut self) -> Result<Option<T>, FrameError> {
        let Some((length, rest)) = self.bytes[self.taken..].split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        // Where a usize is smaller than 32 bits, "too long" is still the right answer.
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let limit = HEADER_BYTES + T::TYPE.limit().bytes();
        if length > limit {
            return Err(FrameError::TooLong { length, limit });
        }
        let Some(envelope) = rest.get(..length) else { return Ok(None) };
        let message = decode(T::TYPE, envelope).map_err(FrameError::Decode)?;
        self.taken += LENGTH_BYTES + length;
        Ok(Some(message))
    }

    /// Nothing, if the stream may end here.
    ///
    /// # Errors
    /// [`FrameError::CutOff`] if it ends within a frame.
    pub(crate) fn end(&self) -> Result<(), FrameError> {
        match self.bytes.len() - self.taken {
            0 => Ok(()),
            left => Err(FrameError::CutOff { left }),
        }
    }
}

/// What is wrong with a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// A frame that is longer than any of its type.
    TooLong { length: usize, limit: usize },
    /// A frame whose content is not what it must be.
    Decode(DecodeError),
    /// The stream ends within a frame.
    CutOff { left: usize },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length, limit } => {
                write!(
                    f,
                    "a frame of {length} bytes was announced, and {limit} is the limit: do not trust its sender"
                )
            }
            Self::Decode(error) => write!(f, "a bad frame: {error}"),
            Self::CutOff { left } => write!(f, "the stream ends {left} bytes into a frame"),
        }
    }
}

impl std::error::Error for FrameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcomes::Refusal;

    fn ask(request: u64) -> Ask {
        let (id, from, to) = (TransferId::new(1_764_000_000_000, 7, 1), AccountId(3), AccountId(7));
        Ask::new(request, Transfer { id, from, to, cents: u64::MAX })
    }

    fn framed(messages: &[Ask]) -> Vec<u8> {
        let mut bytes = Vec::new();
        messages.iter().for_each(|message| put(message, &mut bytes).expect("it is short"));
        bytes
    }

    fn read<T: Message>(bytes: &[u8]) -> Result<Vec<T>, FrameError> {
        let mut frames = Frames::default();
        frames.room().extend_from_slice(bytes);
        let mut messages = Vec::new();
        while let Some(message) = frames.next()? {
            messages.push(message);
        }
        frames.end().map(|()| messages)
    }

    #[test]
    fn comes_back_as_it_was_sent() {
        assert_eq!(read(&framed(&[ask(1), ask(u64::MAX)])), Ok(vec![ask(1), ask(u64::MAX)]));
        assert_eq!(ask(1).transfer().cents, u64::MAX);
        let mut answers = vec![Answer::Conflict, Answer::Outcome(Outcome::Applied { seq: 9 })];
        answers.extend(Refusal::ALL.map(|reason| Answer::Outcome(Outcome::Refused { reason, seq: 1 })));
        for answer in answers {
            let mut bytes = Vec::new();
            put(&Told { request: 5, says: answer.into() }, &mut bytes).expect("it is short");
            let told: Vec<Told> = read(&bytes).expect("it was just written");
            assert_eq!(told.iter().map(|told| told.says.answer()).collect::<Vec<_>>(), [Some(answer)]);
        }
        assert_eq!(Says::AskAgain.answer(), None);
    }

    #[test]
    fn arrives_byte_by_byte_as_well() {
        let mut frames = Frames::default();
        let mut seen = Vec::new();
        for byte in framed(&[ask(1), ask(2), ask(3)]) {
            frames.room().push(byte);
            seen.extend(frames.next::<Ask>().expect("no byte is wrong"));
        }
        assert_eq!(seen, [ask(1), ask(2), ask(3)]);
        assert_eq!(frames.end(), Ok(()));
    }

    #[test]
    fn damage_is_named_and_what_came_before_stands() {
        type Damage = fn(&mut Vec<u8>, usize);
        // `at` is where the second of two frames begins.
        let rows: &[(&str, Damage, &str)] = &[
            ("a length of 4 GiB", |b, at| b[at..at + 4].fill(0xff), "4294967295 bytes was announced"),
            ("a length just beyond the limit", |b, at| b[at + 2] = 1, "is the limit"),
            ("no length", |b, at| b[at..at + 4].fill(0), "cut off: 0 bytes"),
            ("a length that is short by one", |b, at| b[at] -= 1, "cut off"),
            ("a length that is long by one", |b, at| b[at] += 1, "ends"),
            ("the magic", |b, at| b[at + 4] ^= 1, "not an envelope"),
            ("the format", |b, at| b[at + 8] ^= 1, "of format"),
            ("the codec", |b, at| b[at + 9] = 9, "names codec 9"),
            ("the type", |b, at| b[at + 10] ^= 1, "damaged: the checksum"),
            ("the payload", |b, at| b[at + 24] ^= 1, "damaged: the checksum"),
            ("the last byte gone", |b, _| b.truncate(b.len() - 1), "ends"),
            ("one byte more", |b, _| b.push(0), "ends 1 bytes into a frame"),
            (
                "text",
                |b, at| b.splice(at.., *b"GET / HTTP/1.1\r\n\r\n").for_each(drop),
                "bytes was announced",
            ),
            (
                "another message",
                |b, at| {
                    b.truncate(at);
                    put(&Told { request: 1, says: Says::Conflict }, b).expect("it is short");
                },
                "type 2834 where type 2833 was expected",
            ),
        ];
        for (name, damage, says) in rows {
            let mut bytes = framed(&[ask(1)]);
            let at = bytes.len();
            bytes.extend(framed(&[ask(2)]));
            damage(&mut bytes, at);
            let mut frames = Frames::default();
            frames.room().extend_from_slice(&bytes);
            assert_eq!(frames.next(), Ok(Some(ask(1))), "{name}");
            let error = match frames.next::<Ask>() {
                Err(error) => error,
                Ok(second) => {
                    assert!(second.is_none() || *name == "one byte more", "{name}: {second:?}");
                    frames.end().expect_err(name)
                }
            };
            assert!(error.to_string().contains(says), "{name}: {error}");
        }
    }

    #[test]
    fn no_flipped_bit_makes_another_message() {
        let bytes = framed(&[ask(1)]);
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read::<Ask>(&bytes).is_err(), "bit {bit}");
        }
    }
}
