//! An actor that everybody sees, with messages that nobody does.

use minder::prelude::*;

pub struct Account;

#[actor]
impl Account {
    fn read(&self) {}
}

fn main() {}
