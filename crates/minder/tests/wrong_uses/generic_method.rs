//! A generic method.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn pay<T: Into<u64>>(&mut self, cents: T) {
        let _ = cents.into();
    }
}

fn main() {}
