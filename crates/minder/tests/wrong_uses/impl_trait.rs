//! Arguments and answers whose types have no name.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn pay(&mut self, cents: impl Into<u64>) {
        let _ = cents.into();
    }

    fn all(&self) -> impl Iterator<Item = u64> {
        std::iter::empty()
    }

    fn act(&mut self, act: Box<dyn Fn(&str) + Send>) {
        act("this is right");
    }
}

fn main() {}
