//! `#[actor(local)]`: the same block for an actor whose state and futures are not `Send`.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use minder::prelude::*;

use crate::support::{Refused, system};

/// Holds what cannot leave its thread.
#[derive(Default)]
struct Desk {
    papers: Rc<RefCell<Vec<String>>>,
    opened: bool,
}

#[actor(local, derive(Debug, PartialEq))]
impl Desk {
    async fn started(&mut self, context: &mut Context<DeskMsg>) {
        let papers = self.papers.clone();
        context.sleep(Duration::ZERO).await;
        papers.borrow_mut().push("blotter".to_owned());
        self.opened = true;
    }

    fn lay(&mut self, paper: String) {
        self.papers.borrow_mut().push(paper);
    }

    /// An `Rc` is held over an await.
    async fn sort(&mut self, context: &mut Context<DeskMsg>) -> Result<usize, Refused> {
        let papers = self.papers.clone();
        context.sleep(Duration::from_millis(1)).await;
        papers.borrow_mut().sort();
        if papers.borrow().iter().any(|paper| paper == "bill") {
            Err(Refused("a bill"))
        } else {
            Ok(papers.borrow().len())
        }
    }

    #[idempotent]
    fn top(&self) -> Option<String> {
        self.papers.borrow().last().cloned()
    }

    fn burn(&mut self) {
        panic!("fire");
    }

    async fn stopping(&mut self, reason: &ExitReason) {
        assert!(self.opened && !reason.is_abnormal());
    }
}

#[tokio::test]
async fn a_block_may_be_that_of_a_local_actor() {
    let (system, unheard) = system();
    let (desk, seat) = system.address();
    let tree =
        one_for_one().limit(10, Duration::from_secs(5)).child(local_actor_in("desk", seat, Desk::default));
    tree.start(&system, "office").await.expect("starts");
    desk.lay("plan".to_owned()).tell().expect("there is room");
    desk.lay("draft".to_owned()).await.expect("it is done");
    assert_eq!(desk.sort().await.expect("no bill"), 3);
    assert_eq!(desk.top().await.expect("it answers").as_deref(), Some("plan"));
    desk.lay("bill".to_owned()).tell().expect("there is room");
    assert!(matches!(desk.sort().await, Err(CallError::Failed(Refused("a bill")))));
    assert!(matches!(desk.burn().await, Err(AskError::Crashed(_))));
    assert_eq!(desk.top().await.expect("the next one answers").as_deref(), Some("blotter"));
    assert!(system.shutdown(Duration::from_secs(5)).await.is_clean());
    assert!(unheard.lines().is_empty());
}
