//! Replies that do not go together with the rest.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn twice(&self, one: Reply<u8>, two: Reply<u8>) {
        drop((one, two));
    }

    fn both(&self, reply: Reply<u8>) -> u8 {
        drop(reply);
        0
    }

    #[tell]
    fn told(&self, reply: Reply<u8>) {
        drop(reply);
    }

    #[tell]
    fn lost(&self) -> u8 {
        0
    }
}

fn main() {}
