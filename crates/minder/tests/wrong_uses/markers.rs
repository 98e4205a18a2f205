//! Markers that are wrong in themselves.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    #[boxed(5)]
    fn one(&self, n: u8) {
        let _ = n;
    }

    #[idempotent]
    #[idempotent]
    fn two(&self) {}

    #[plain]
    #[boxed]
    fn three(&self) {}

    #[message("Four")]
    fn four(&self) {}
}

fn main() {}
