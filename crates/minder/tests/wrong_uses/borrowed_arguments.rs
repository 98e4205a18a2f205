//! Arguments that borrow.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn rename(&mut self, name: &str) {
        let _ = name;
    }

    fn rename_all(&mut self, names: Vec<Option<&str>>) {
        let _ = names;
    }

    fn rename_static(&mut self, name: &'static str) {
        let _ = name;
    }
}

fn main() {}
