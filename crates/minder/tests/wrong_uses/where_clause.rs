//! A method with bounds of its own.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn pay(&mut self)
    where
        Self: Sized,
    {
    }
}

fn main() {}
