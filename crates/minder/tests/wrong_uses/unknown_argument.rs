//! An argument that the attribute does not have.

use minder::prelude::*;

struct Account;

#[actor(drive(Clone))]
impl Account {
    fn read(&self) {}
}

fn main() {}
