//! Every kind of damage to an envelope, row by row, and that each is refused with its own error.

mod common;

use common::{EVERYTHING, Everything, TRANSFER, Transfer, everything, transfer};
use minder_codec::{DecodeError, EncodeError, HEADER_BYTES, Limit, MessageType, decode, encode};
use serde::{Deserialize, Serialize};

fn envelope<T: Serialize>(message_type: MessageType, value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(message_type, value, &mut bytes).expect("the value fits");
    bytes
}

/// The envelope of any bytes as payload, with a true checksum: what a lying writer would send.
fn forged(message_type: MessageType, payload: &[u8]) -> Vec<u8> {
    // An empty envelope has every field right but the length and the checksum.
    let mut bytes = envelope(message_type, &());
    let length = u32::try_from(payload.len()).expect("small").to_le_bytes();
    bytes[10..14].copy_from_slice(&length);
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..14]);
    hasher.update(payload);
    bytes[14..18].copy_from_slice(&hasher.finalize().to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn values_come_back() {
    assert_eq!(decode::<Transfer>(TRANSFER, &envelope(TRANSFER, &transfer())), Ok(transfer()));
    assert_eq!(decode::<Everything>(EVERYTHING, &envelope(EVERYTHING, &everything())), Ok(everything()));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let whole = envelope(EVERYTHING, &everything());
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            assert!(decode::<Everything>(EVERYTHING, &bytes).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn every_truncation_is_noticed() {
    let whole = envelope(EVERYTHING, &everything());
    for length in 0..whole.len() {
        let needed = if length < HEADER_BYTES { HEADER_BYTES } else { whole.len() };
        assert_eq!(
            decode::<Everything>(EVERYTHING, &whole[..length]),
            Err(DecodeError::Truncated { needed, found: length })
        );
    }
}

#[test]
fn each_damage_has_its_own_error() {
    type Damage = fn(&mut Vec<u8>);
    let whole = envelope(TRANSFER, &transfer());
    let rows: &[(&str, Damage, &str)] = &[
        ("magic", |b| b[0] = b'x', "not an envelope"),
        ("format version", |b| b[4] = 2, "of format 2, this build reads 1"),
        ("codec", |b| b[5] = 9, "names codec 9"),
        ("type", |b| b[6] = 9, "damaged"),
        ("schema", |b| b[8] = 9, "damaged"),
        ("length above the limit", |b| b[12] = 0xff, "the limit of the type is 65536"),
        ("length above the input", |b| b[10] += 1, "cut off"),
        ("length below the input", |b| b[10] -= 1, "1 bytes follow"),
        ("checksum", |b| b[14] ^= 1, "damaged"),
        ("payload", |b| b[18] ^= 1, "damaged"),
        ("one byte more", |b| b.push(0), "1 bytes follow"),
        ("a second envelope", |b| b.extend_from_within(..), "bytes follow"),
        ("nothing", Vec::clear, "cut off: 0 bytes"),
    ];
    for (name, damage, says) in rows {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        let error = decode::<Transfer>(TRANSFER, &bytes).expect_err(name);
        assert!(error.to_string().contains(says), "{name}: {error}");
    }
}

#[test]
fn another_reader_is_told_so() {
    let bytes = envelope(TRANSFER, &transfer());
    assert_eq!(
        decode::<Transfer>(MessageType::new(5, 1, Limit::Record), &bytes),
        Err(DecodeError::OtherType { expected: 5, found: 1 })
    );
    assert_eq!(
        decode::<Transfer>(MessageType::new(1, 2, Limit::Record), &bytes),
        Err(DecodeError::OtherSchema { number: 1, expected: 2, found: 1 })
    );
}

#[test]
fn true_checksum_over_a_lying_payload() {
    #[derive(Deserialize, Serialize, Debug)]
    struct Text {
        text: String,
    }
    // 253 announces a 64-bit length.
    let huge = [253, 0, 0, 0, 0, 0, 1, 0, 0, b'x'];
    type Try = fn(&[u8]) -> Option<DecodeError>;
    fn text(bytes: &[u8]) -> Option<DecodeError> {
        decode::<Text>(TRANSFER, bytes).err()
    }
    let rows: &[(&str, &[u8], Try, &str)] = &[
        ("string longer than its payload", &[5, b'a'], text, "UnexpectedEnd"),
        ("string of 2^40 bytes", &huge, text, "LimitExceeded"),
        ("string that is no text", &[1, 0xff], text, "Utf8"),
        ("empty payload", &[], text, "UnexpectedEnd"),
        ("more than the value", &[0, 0], text, "1 bytes of the payload are left"),
        (
            "sequence of 2^40",
            &huge,
            |b| decode::<Vec<u64>>(TRANSFER, b).err(),
            "claims 1099511627776 elements",
        ),
        (
            "nothings of 2^40",
            &huge,
            |b| decode::<Vec<()>>(TRANSFER, b).err(),
            "claims 1099511627776 elements",
        ),
        ("map of 2^40", &huge, |b| decode::<std::collections::BTreeMap<u8, u8>>(TRANSFER, b).err(), "claims"),
        ("bool of 2", &[2], |b| decode::<bool>(TRANSFER, b).err(), "InvalidBoolean"),
        ("variant of 9", &[9], |b| decode::<common::Kind>(TRANSFER, b).err(), "variant"),
        ("char out of range", &[0xff], |b| decode::<char>(TRANSFER, b).err(), "InvalidChar"),
    ];
    for (name, payload, decode, says) in rows {
        let error = decode(&forged(TRANSFER, payload)).expect(name);
        assert!(error.to_string().contains(says), "{name}: {error}");
    }
}

#[test]
fn endless_nesting_is_refused_and_no_stack_overflows() {
    #[derive(Deserialize, Serialize, Debug)]
    enum Doll {
        Empty,
        Holds(Box<Doll>),
    }
    let deep = MessageType::new(1, 1, Limit::Checkpoint);
    let bytes = forged(deep, &vec![1; 1_000_000]);
    let error = decode::<Doll>(deep, &bytes).expect_err("a million dolls").to_string();
    assert!(error.contains("nested more than 128 deep"), "{error}");
    let mut doll = Doll::Empty;
    for _ in 0..100 {
        doll = Doll::Holds(Box::new(doll));
    }
    assert!(decode::<Doll>(deep, &envelope(deep, &doll)).is_ok());
}

#[test]
fn both_sides_agree_at_the_limit() {
    for limit in [Limit::Record, Limit::Message, Limit::Checkpoint] {
        let message_type = MessageType::new(1, 1, limit);
        // After a length of five bytes at most.
        for (fill, ok) in [(limit.bytes() - 5, true), (limit.bytes(), false)] {
            let value = "a".repeat(fill);
            let mut bytes = vec![42];
            let encoded = encode(message_type, &value, &mut bytes);
            assert_eq!(encoded.is_ok(), ok, "{limit:?} {fill}");
            if ok {
                assert_eq!(decode::<String>(message_type, &bytes[1..]).map(|s| s.len()), Ok(fill));
            } else {
                assert_eq!(encoded, Err(EncodeError::TooLong { message_type }));
                assert_eq!(bytes, [42], "the buffer is as it was");
            }
        }
        // A small integer takes sixteen times in memory what it takes in the payload, and still comes back.
        if limit == Limit::Record {
            let value = vec![1_u128; limit.bytes() - 5];
            assert_eq!(decode::<Vec<u128>>(message_type, &envelope(message_type, &value)), Ok(value));
        }
    }
}

#[test]
fn several_envelopes_in_one_buffer() {
    let mut bytes = Vec::new();
    encode(TRANSFER, &transfer(), &mut bytes).expect("fits");
    let first = bytes.len();
    encode(EVERYTHING, &everything(), &mut bytes).expect("fits");
    assert_eq!(decode::<Transfer>(TRANSFER, &bytes[..first]), Ok(transfer()));
    assert_eq!(decode::<Everything>(EVERYTHING, &bytes[first..]), Ok(everything()));
}
