//! An answer that cannot leave its thread.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn share(&self) -> std::rc::Rc<u8> {
        std::rc::Rc::new(1)
    }
}

fn main() {}
