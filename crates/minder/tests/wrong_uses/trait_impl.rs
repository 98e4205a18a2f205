//! An impl block of a trait.

use minder::prelude::*;

struct Account;

#[actor]
impl Default for Account {
    fn default() -> Self {
        Account
    }
}

fn main() {}
