//! An error that can be no exit reason.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    #[crash_on_err]
    fn close(&mut self) -> Result<(), Vec<u8>> {
        Ok(())
    }
}

fn main() {}
