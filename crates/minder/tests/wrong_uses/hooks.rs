//! Hooks of other shapes than the trait's.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    fn started(&mut self, how: u8) {
        let _ = how;
    }

    async fn stop_requested(&mut self) -> minder::Winding {
        minder::Winding::Done
    }

    fn stopping(&mut self) -> u8 {
        0
    }

    fn notice(notice: Notice) {
        drop(notice);
    }

    fn format_status(&mut self) -> Option<String> {
        None
    }
}

fn main() {}
