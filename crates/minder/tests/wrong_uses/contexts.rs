//! Too many contexts, and one by value.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn read(&self, one: &mut Context<AccountMsg>, two: &mut Context<AccountMsg>) {
        let _ = (one, two);
    }

    fn keep(&self, context: Context<AccountMsg>) {
        drop(context);
    }
}

fn main() {}
