//! A handler that holds what cannot leave its thread over an await.

use minder::prelude::*;

struct Account;

#[actor]
impl Account {
    async fn share(&mut self) {
        let shared = std::rc::Rc::new(1);
        std::future::ready(()).await;
        drop(shared);
    }
}

fn main() {}
