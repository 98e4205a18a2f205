//! An actor that borrows.

use minder::prelude::*;

struct Account<'a>(&'a str);

#[actor]
impl<'a> Account<'a> {
    fn read(&self) -> u8 {
        0
    }
}

fn main() {}
