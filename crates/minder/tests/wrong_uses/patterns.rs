//! Arguments that are patterns.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn pay(&mut self, (euros, cents): (u64, u64)) {
        let _ = (euros, cents);
    }

    fn skip(&mut self, _: u64) {}

    fn count(&mut self, mut n: u64) {
        n += 1;
        let _ = n;
    }
}

fn main() {}
