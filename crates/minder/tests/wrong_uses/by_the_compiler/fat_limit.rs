//! A message that is too large for a place of another size.

use minder::prelude::*;

struct Account;

#[actor(slot = 16)]
impl Account {
    fn write(&mut self, key: u64) {
        let _ = key;
    }

    #[tell]
    fn erase(&mut self, key: u64) {
        let _ = key;
    }
}

fn main() {}
