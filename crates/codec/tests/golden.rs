//! What was written stays readable: bytes checked in, decoded by this crate and by another maintained one.
//! To add a file, run with `MINDER_WRITE_GOLDEN=1`; never rewrite one without a new schema version.

mod common;

use std::fmt::Debug;
use std::path::PathBuf;

use common::{EVERYTHING, TRANSFER, everything, transfer};
use minder_codec::{HEADER_BYTES, MessageType, decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    name: &str,
    message_type: MessageType,
    value: &T,
) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let mut now = Vec::new();
    encode(message_type, value, &mut now).expect("the value fits");
    if std::env::var_os("MINDER_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &now).expect("the folder is writable");
    }
    let golden = std::fs::read(&path).expect("the file is checked in");
    assert_eq!(golden, now, "{name}: what is written today differs; a new layout needs a new schema version");
    assert_eq!(decode::<T>(message_type, &golden).as_ref(), Ok(value), "{name}");

    // The way out: the payload without its envelope, read by the maintained fork.
    let payload = &golden[HEADER_BYTES..];
    let (theirs, used): (T, usize) =
        bincode_next::serde::decode_from_slice(payload, bincode_next::config::standard()).expect(name);
    assert_eq!((&theirs, used), (value, payload.len()), "{name}");
}

#[test]
fn transfer_file() {
    check("transfer.v1.bin", TRANSFER, &transfer());
}

#[test]
fn everything_file() {
    check("everything.v3.bin", EVERYTHING, &everything());
}
