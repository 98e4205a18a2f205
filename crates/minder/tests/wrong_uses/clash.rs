//! Two methods, one message.

use minder::prelude::*;

struct Account;

#[allow(non_snake_case)]
#[actor]
impl Account {
    fn pay_in(&mut self) {}

    fn payIn(&mut self) {}

    fn account(&self) {}

    #[message(AccountMsg)]
    fn other(&self) {}
}

fn main() {}
