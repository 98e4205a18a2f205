//! A message that is only told, asked.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    #[tell]
    fn read(&self) {}
}

async fn use_it(account: Addr<AccountMsg>) {
    account.read().await;
}

fn main() {}
