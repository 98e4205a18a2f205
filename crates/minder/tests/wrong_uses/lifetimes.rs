//! Lifetimes of methods.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn rename<'a>(&mut self, name: std::borrow::Cow<'a, str>) {
        let _ = name;
    }

    fn read<'a>(&'a self) {}
}

fn main() {}
