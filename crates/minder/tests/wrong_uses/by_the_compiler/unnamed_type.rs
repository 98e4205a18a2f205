//! A type that is not the user's.

use minder::prelude::*;

#[actor]
impl [u8] {
    fn read(&self) {}
}

fn main() {}
