//! An argument that is given twice.

use minder::prelude::*;

struct Account;

#[actor(slot = 64, slot = 128)]
impl Account {
    fn read(&self) {}
}

fn main() {}
