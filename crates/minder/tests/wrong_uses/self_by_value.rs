//! A method that uses its actor up, and one whose `self` has a type.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn close(self) {}

    fn burn(self: Box<Self>) {}
}

fn main() {}
