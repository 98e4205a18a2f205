//! An answer that borrows.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn name(&self) -> &str {
        ""
    }

    fn later(&self, reply: Reply<&str>) {
        drop(reply);
    }
}

fn main() {}
