//! A message that cannot leave its thread.

use minder::prelude::*;

struct Account;

use std::rc::Rc;

#[actor]
impl Account {
    fn share(&mut self, with: Rc<u8>) {
        let _ = with;
    }
}

fn main() {}
