//! A call of which nobody says what is to be done.

#![deny(unused_must_use)]

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn read(&self) {}
}

async fn use_it(account: Addr<AccountMsg>) {
    account.read();
}

fn main() {}
