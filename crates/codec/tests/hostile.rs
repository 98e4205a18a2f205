//! That a length in hostile bytes allocates nothing. Alone in its binary: it looks at the whole process.
//! Watches the address space, because zeroed memory that nobody touches is not resident.

#![cfg(target_os = "linux")]

use minder_codec::{Limit, MessageType, decode, encode};

const STATE: MessageType = MessageType::new(1, 1, Limit::Checkpoint);
const CLAIM: u32 = 200 << 20;

#[test]
fn a_claimed_length_allocates_nothing() {
    // Over a mebibyte of payload, so that bincode's own limit, 256 MiB in this class, would let the claim pass.
    let mut payload = vec![252];
    payload.extend_from_slice(&CLAIM.to_le_bytes());
    payload.resize((1 << 20) + 100, b'x');
    let mut bytes = Vec::new();
    encode(STATE, &(), &mut bytes).expect("nothing fits");
    bytes[10..14].copy_from_slice(&u32::try_from(payload.len()).expect("small").to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..14]);
    hasher.update(&payload);
    bytes[14..18].copy_from_slice(&hasher.finalize().to_le_bytes());
    bytes.extend_from_slice(&payload);

    let before = peak_kib();
    assert!(decode::<String>(STATE, &bytes).is_err());
    assert!(decode::<Vec<u8>>(STATE, &bytes).is_err());
    assert!(decode::<Vec<String>>(STATE, &bytes).is_err());
    assert!(decode::<std::collections::HashMap<u64, u64>>(STATE, &bytes).is_err());
    let grown = peak_kib() - before;
    assert!(grown < 64 << 10, "decoding grew the address space by {grown} KiB");
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).expect("Linux has it");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of KiB")
}
