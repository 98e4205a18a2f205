//! A method that cannot fail, and a hook that does not need the marker.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    #[crash_on_err]
    fn read(&self) -> u64 {
        0
    }

    #[crash_on_err]
    fn started(&mut self) -> Handled {
        Ok(())
    }
}

fn main() {}
