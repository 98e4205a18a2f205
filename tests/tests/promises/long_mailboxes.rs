//! An actor with a long mailbox is told of once, by path and life, and again when it has caught up.

use std::sync::Arc;

use minder::prelude::*;
use minder::{Event, Observer};

use crate::support::*;

/// Writes down what is told of mailboxes.
struct Lengths(Journal);

impl Observer for Lengths {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::MailboxLong { path, id, queued } => self.0.note(format!("{path} {id} long: {queued}")),
            Event::MailboxShort { path, id, queued } => self.0.note(format!("{path} {id} short: {queued}")),
            _ => {}
        }
    }
}

/// OTP: NEW-004.
#[test]
fn an_actor_that_falls_behind_is_told_of_once_and_when_it_has_caught_up() {
    everywhere(|| async {
        let (journal, mut reader) = journal();
        let observer = Arc::new(Lengths(journal));
        let system = System::builder().observer(observer).long_mailboxes(100, 20).build().expect("a runtime");
        let (busy, calm) = (named(&system, "busy").await, named(&system, "calm").await);
        let id = busy.id();
        let mark = |times| (0..times).for_each(|n| busy.tell(Msg::Mark(n)).expect("there is room"));
        // It handles nothing, and is told of all the same.
        busy.suspend();
        mark(100);
        pass(SECOND).await;
        assert_eq!(reader.rest(), [""; 0], "not more than the mark");
        busy.tell(Msg::Mark(0)).expect("there is room");
        pass(SECOND).await;
        assert_eq!(reader.rest(), [format!("busy {id} long: 100")]);
        mark(90);
        pass(SECOND).await;
        busy.resume();
        pass(SECOND).await;
        assert_eq!(reader.rest(), [format!("busy {id} short: 0")]);
        busy.suspend();
        mark(101);
        pass(SECOND).await;
        assert_eq!(reader.rest(), [format!("busy {id} long: 100")], "again");
        // Pinned messages are sent with the actor's life held: those are told of as well.
        let pinned = calm.pin();
        calm.suspend();
        (0..101).for_each(|n| pinned.tell(Msg::Mark(n)).expect("there is room"));
        pass(SECOND).await;
        assert_eq!(reader.rest(), [format!("calm {} long: 100", calm.id())]);
    });
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_unless_it_is_asked_for() {
    let (journal, mut reader) = journal();
    let system = System::builder().observer(Arc::new(Lengths(journal))).build().expect("a runtime");
    let it = named(&system, "it").await;
    it.suspend();
    (0..1024).for_each(|n| it.tell(Msg::Mark(n)).expect("there is room"));
    it.tell(Msg::Mark(0)).expect_err("there is none");
    it.resume();
    pass(SECOND).await;
    assert_eq!((it.queued(), reader.rest()), (0, vec![]));
}
