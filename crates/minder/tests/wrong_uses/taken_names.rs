//! Messages whose names are taken.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn tell(&mut self, what: u64) {
        let _ = what;
    }

    fn reply(&self) {}

    fn clone(&self) -> u8 {
        0
    }
}

fn main() {}
