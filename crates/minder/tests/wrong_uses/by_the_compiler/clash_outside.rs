//! A message that is called like a type of the user's.

use minder::prelude::*;

struct Account;

#[derive(Clone)]
struct Balance(u64);

#[actor]
impl Account {
    fn balance(&self) -> Balance {
        Balance(0)
    }
}

fn main() {}
