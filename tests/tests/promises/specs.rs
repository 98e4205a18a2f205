//! Wrong specifications are refused before anything starts, and what is said about them helps.

use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{AutoShutdown, StartTreeError};

use crate::support::*;

fn puppet(id: &str) -> Child {
    actor(id, || Puppet::new("it", &journal().0))
}

fn seated(id: &str, seat: &Seat<Msg>) -> Child {
    actor_in(id, seat.clone(), || Puppet::new("it", &journal().0))
}

/// OTP: SUP-009, SUP-010, SUP-011, SUP-016, SUP-130.
#[tokio::test(start_paused = true)]
async fn wrong_specs_are_refused_with_a_clear_word() {
    let system = system();
    let (_it, seat) = system.address();
    let (_other, other) = system.address();
    let rows: Vec<(Spec, &str)> = vec![
        (
            one_for_one().child(puppet("a")).child(puppet("b")).child(puppet("a")),
            "the top supervisor: children 0 and 2 are both called `a`; give one of them another id",
        ),
        (one_for_one().child(puppet("")), "the top supervisor: child 0 has an empty id; give it a name"),
        (
            one_for_one().limit(3, Duration::ZERO),
            "the top supervisor: the period of the restart intensity is zero; make it longer, or the limit 0 to \
             tolerate no restart",
        ),
        (
            one_for_one().auto_shutdown(AutoShutdown::AnySignificant).child(puppet("a").significant(true)),
            "the top supervisor: child `a` is significant and permanent, but a permanent child never ends for good; \
             make it transient or temporary, or not significant",
        ),
        (
            one_for_one().child(puppet("a").restart(Restart::Transient).significant(true)),
            "the top supervisor: child `a` is significant, but its supervisor never shuts down by itself; set \
             auto-shutdown to any or all significant (no dynamic one has that), or make the child not significant",
        ),
        (
            one_for_one()
                .child(tree("x", one_for_all().child(tree("y", rest_for_one().limit(1, Duration::ZERO))))),
            "supervisor `x/y`: the period of the restart intensity is zero; make it longer, or the limit 0 to tolerate \
             no restart",
        ),
        (
            one_for_one().child(seated("a", &seat)).child(seated("b", &other)).child(seated("c", &seat)),
            "children `a` and `c` have the same seat; make an address and a seat for each",
        ),
        (
            one_for_one()
                .child(tree("x", one_for_one().child(seated("a", &seat))))
                .child(tree("y", one_for_one().child(tree("z", one_for_one().child(seated("b", &seat)))))),
            "children `x/a` and `y/z/b` have the same seat; make an address and a seat for each",
        ),
        (
            one_for_one().child(tree("x", one_for_one().child(seated("a", &seat)))).child(seated("b", &seat)),
            "children `x/a` and `b` have the same seat; make an address and a seat for each",
        ),
    ];
    let (journal, mut reader) = journal();
    let first = actor("first", move || Puppet::new("first", &journal));
    let late = one_for_one().child(first).child(puppet("a")).child(puppet("a"));
    late.start(&system, "top").await.expect_err("two are called the same");
    turns().await;
    assert_eq!(reader.rest(), [""; 0], "nobody was started, not even for a moment");
    for (spec, expected) in rows {
        let error = spec.check().expect_err(expected);
        assert_eq!(error.to_string(), expected);
        let refused = spec.start(&system, "top").await.expect_err(expected);
        assert_eq!(refused, StartTreeError::Invalid(error));
        assert_eq!(system.living(), 0, "nothing was started");
    }
}

#[tokio::test(start_paused = true)]
async fn right_specs_are_not_refused() {
    let system = system();
    let (it, seat) = system.address();
    let spec = one_for_one()
        .limit(0, SECOND)
        .auto_shutdown(AutoShutdown::AllSignificant)
        .child(seated("a", &seat))
        .child(tree("b", one_for_one().child(puppet("a"))))
        .child(puppet("c").restart(Restart::Temporary).significant(true));
    spec.check().expect("the same id in another supervisor is another child");
    spec.start(&system, "top").await.expect("starts");
    assert_eq!(life(&it).await, 1);
    assert_eq!(&*it.path(), "top/a");
}

#[tokio::test(start_paused = true)]
async fn a_seat_in_use_by_another_living_minder_is_refused() {
    let system = system();
    let (it, seat) = system.address();
    let first = one_for_one().child(seated("a", &seat)).start(&system, "first").await.expect("starts");
    let reason = one_for_one().child(puppet("x")).child(seated("b", &seat)).start(&system, "second").await;
    assert_eq!(
        reason.expect_err("somebody lives there").to_string(),
        "the tree did not start: shutdown: child `b` failed to start: error: the seat of first/a is taken: give each child a seat of its own"
    );
    assert_eq!((life(&it).await, system.living()), (1, 2), "who sat there first is not disturbed");
    first.address().kill();
    soon(first.ended()).await;
    turns().await;
    one_for_one().child(seated("b", &seat)).start(&system, "third").await.expect("the seat is free");
    assert_eq!((life(&it).await, &*it.path()), (2, "third/b"));
}

#[tokio::test(start_paused = true)]
async fn a_seat_of_another_system_is_refused() {
    let (here, there) = (system(), system());
    let (_it, seat) = there.address();
    let reason =
        one_for_one().child(seated("a", &seat)).start(&here, "top").await.expect_err("it is not of here");
    let text = reason.to_string();
    assert!(
        text.starts_with("the tree did not start: shutdown: child `a` failed to start: error: the seat of #"),
        "{text}"
    );
    assert!(text.ends_with(" belongs to another system: make it with this system's `address`"), "{text}");
    assert_eq!((here.living(), there.living()), (0, 0));
}
