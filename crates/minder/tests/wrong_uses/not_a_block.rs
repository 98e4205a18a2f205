//! Not an impl block at all.

use minder::prelude::*;

#[actor]
struct Account;

#[actor]
fn pay() {}

fn main() {}
