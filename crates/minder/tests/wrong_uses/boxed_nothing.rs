//! A message without content in a box.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    #[boxed]
    fn read(&self, context: &mut Context<AccountMsg>) {
        let _ = context;
    }
}

fn main() {}
