//! A method without `self`.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn open() -> Self {
        Account
    }
}

fn main() {}
