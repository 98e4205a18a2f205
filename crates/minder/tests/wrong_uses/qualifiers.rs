//! Methods that are more than methods.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    const fn one(&self) {}

    unsafe fn two(&self) {}

    extern "C" fn three(&self) {}
}

fn main() {}
