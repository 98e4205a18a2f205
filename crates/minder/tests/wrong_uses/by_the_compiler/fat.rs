//! A message that is too large for its place.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn write(&mut self, block: [u8; 512]) {
        let _ = block;
    }
}

fn main() {}
