//! An idempotent message that cannot be copied.

use minder::prelude::*;

struct Account;

struct Key;

#[actor]
impl Account {
    #[idempotent]
    fn write(&mut self, key: Key) {
        let _ = key;
    }
}

fn main() {}
