//! Attached streams: their items are messages under the bound, their ends are noticed, and none outlives its incarnation.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use minder::prelude::*;
use minder::{MailboxOptions, Queued, Stream, WhenFull};
use minder_fault_injection::sim::{Policy, Sim};
use tokio::sync::oneshot;

use crate::support::*;

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// Yields what it is given, counts what it has yielded, and says that it is dropped.
struct Feed {
    items: VecDeque<u32>,
    then: Then,
    yielded: Arc<AtomicU32>,
    journal: Journal,
}

/// What comes after the items.
#[derive(Clone, Copy)]
enum Then {
    End,
    Wait,
    Panic,
    PanicWhenDropped,
}

impl Feed {
    fn new(journal: &Journal, items: impl IntoIterator<Item = u32>, then: Then) -> Self {
        let items = items.into_iter().collect();
        Self { items, then, yielded: Arc::default(), journal: journal.clone() }
    }
}

impl Stream for Feed {
    type Item = u32;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<u32>> {
        if let Some(item) = self.items.pop_front() {
            self.yielded.fetch_add(1, Ordering::Relaxed);
            return Poll::Ready(Some(item));
        }
        match self.then {
            Then::End | Then::PanicWhenDropped => Poll::Ready(None),
            Then::Wait => Poll::Pending,
            Then::Panic => panic!("dry"),
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.journal.note("stream gone");
        if matches!(self.then, Then::PanicWhenDropped) {
            panic!("while dropped");
        }
    }
}

/// Attach this stream.
fn attach(feed: Feed) -> Msg {
    act(move |_, context| {
        context.attach(feed, Msg::Mark);
        Ok(())
    })
}

#[test]
fn items_come_in_order_and_the_end_after_them() {
    let rows: [(Then, &[&str]); 3] = [
        (Then::End, &["stream gone", "it 1", "it 2", "it 3", "it stream over normal"]),
        (
            Then::Panic,
            &["unheard stream: dry", "stream gone", "it 1", "it 2", "it 3", "it stream over panic dry"],
        ),
        (
            Then::PanicWhenDropped,
            &[
                "stream gone",
                "unheard stream: while dropped",
                "it 1",
                "it 2",
                "it 3",
                "it stream over panic while dropped",
            ],
        ),
    ];
    everywhere(|| async {
        for (then, expected) in rows {
            let (journal, mut reader) = journal();
            let system = listening(&journal);
            let its = journal.clone();
            let it = system.spawn(move || Puppet::new("it", &its)).expect("open");
            reader.expect(&["it up"]).await;
            it.tell(attach(Feed::new(&journal, 1..=3, then))).expect("there is room");
            pass(SECOND).await;
            let lines = reader.rest();
            let of = |who: &str| -> Vec<String> {
                lines.iter().filter(|line| line.starts_with(who)).cloned().collect()
            };
            let expected_of = |who: &str| -> Vec<&str> {
                expected.iter().filter(|line| line.starts_with(who)).copied().collect()
            };
            assert_eq!(of("it"), expected_of("it"));
            assert_eq!(of("unheard"), expected_of("unheard"));
            let at = |what: &str| lines.iter().position(|line| line.starts_with(what));
            assert!(at("stream gone") < at("it stream over"), "gone before it is told: {lines:?}");
            assert!(it.is_alive());
            let counted = it.statistics();
            assert_eq!((counted.offered, counted.handled, counted.is_conserved()), (4, 4, true));
            assert!(system.shutdown(SECOND).await.is_clean());
        }
    });
}

#[test]
fn what_cannot_be_made_a_message_ends_the_stream() {
    everywhere(|| async {
        let (journal, mut reader) = journal();
        let system = listening(&journal);
        let its = journal.clone();
        let it = system.spawn(move || Puppet::new("it", &its)).expect("open");
        let feed = Feed::new(&journal, [1, 2, 3], Then::Wait);
        it.tell(act(move |_, context| {
            context.attach(feed, |item| {
                assert_ne!(item, 2, "no message");
                Msg::Mark(item)
            });
            Ok(())
        }))
        .expect("there is room");
        pass(SECOND).await;
        let lines = reader.rest();
        assert!(lines.contains(&"it 1".to_owned()) && !lines.contains(&"it 3".to_owned()), "{lines:?}");
        assert!(lines.last().is_some_and(|line| line.starts_with("it stream over panic")), "{lines:?}");
        assert!(it.is_alive());
    });
}

/// While its actor does not get on, a stream has let in what there is room for, and holds one item more.
#[test]
fn a_slow_actor_slows_its_stream_down() {
    everywhere(|| async {
        let (journal, mut reader) = journal();
        let system = system();
        let (it, seat) = system.address_with(MailboxOptions::bounded(4, WhenFull::Reject));
        let its = journal.clone();
        system.start(seat, "it", move || Puppet::new("it", &its)).await.expect("starts");
        reader.expect(&["it up"]).await;
        let feed = Feed::new(&journal, 1..=1000, Then::End);
        let yielded = feed.yielded.clone();
        let (go_on, held) = oneshot::channel::<()>();
        it.tell(wait(move |_, context| {
            Box::pin(async move {
                context.attach(feed, Msg::Mark);
                drop(held.await);
                Ok(())
            })
        }))
        .expect("there is room");
        pass(SECOND).await;
        assert_eq!(yielded.load(Ordering::Relaxed), 5);
        let counted = it.statistics();
        assert_eq!((counted.queued, counted.waiting, counted.is_conserved()), (4, 1, true));
        assert!(matches!(it.tell(Msg::Mark(0)), Err(TellError::Full(_))), "the bound is the bound");
        drop(go_on);
        for item in 1..=1000 {
            loop {
                let line = reader.next().await;
                if line != "stream gone" {
                    assert_eq!(line, format!("it {item}"));
                    break;
                }
            }
        }
        pass(SECOND).await;
        assert_eq!(reader.rest().last().map(String::as_str), Some("it stream over normal"));
        assert!(it.statistics().is_conserved());
    });
}

#[test]
fn where_the_mailbox_drops_messages_it_drops_items() {
    everywhere(|| async {
        let (journal, mut reader) = journal();
        for (policy, first) in [(WhenFull::DropNewest, 1), (WhenFull::DropOldest, 97)] {
            let system = system();
            let (it, seat) = system.address_with(MailboxOptions::bounded(4, policy));
            let its = journal.clone();
            system.start(seat, "it", move || Puppet::new("it", &its)).await.expect("starts");
            reader.expect(&["it up"]).await;
            let feed = Feed::new(&journal, 1..=100, Then::End);
            it.tell(wait(move |_, context| {
                Box::pin(async move {
                    context.attach(feed, Msg::Mark);
                    context.sleep(SECOND).await;
                    Ok(())
                })
            }))
            .expect("there is room");
            pass(2 * SECOND).await;
            let expected: Vec<String> = (first..first + 4).map(|item| format!("it {item}")).collect();
            let lines = reader.rest();
            let items: Vec<&String> = lines.iter().filter(|line| expected.contains(line)).collect();
            assert_eq!((items.len(), lines.len()), (4, 6), "{policy:?}: {lines:?}");
            let counted = it.statistics();
            assert_eq!((counted.dropped, counted.handled, counted.is_conserved()), (96, 5, true));
        }
    });
}

#[test]
fn a_detached_stream_is_gone_and_says_nothing_more() {
    everywhere(|| async {
        let (journal, mut reader) = journal();
        let system = system();
        let its = journal.clone();
        let it = system.spawn(move || Puppet::new("it", &its)).expect("open");
        let (waits, over) = (Feed::new(&journal, [1], Then::Wait), Feed::new(&journal, [2], Then::End));
        it.tell(wait(move |puppet, context| {
            Box::pin(async move {
                let waits = context.attach(waits, Msg::Mark);
                let over = context.attach(over, Msg::Mark);
                context.sleep(ms(10)).await;
                // The end of the second stands in the lane, and so do the items of both.
                let detached = [waits, waits, over, over].map(|stream| context.detach(stream));
                puppet.note(format!("{detached:?}"));
                Ok(())
            })
        }))
        .expect("there is room");
        pass(SECOND).await;
        let mut lines = reader.rest();
        lines.sort();
        assert_eq!(
            lines,
            ["it 1", "it 2", "it [true, false, true, false]", "it up", "stream gone", "stream gone"]
        );
    });
}

/// However an incarnation ends, its stream is gone before anybody hears of it; what was let in is kept or purged like
/// any message, and the item that waits for room is taken back.
#[test]
fn none_outlives_its_incarnation() {
    type Ending = fn() -> Msg;
    let rows: [(&str, Option<Ending>); 4] = [
        ("killed", None),
        ("panic boom", Some(|| wait(|_, _| Box::pin(async { panic!("boom") })))),
        ("error: no", Some(|| act(|_, _| Err(Plain("no").into())))),
        (
            "normal",
            Some(|| {
                act(|_, context| {
                    context.stop(ExitReason::Normal);
                    Ok(())
                })
            }),
        ),
    ];
    everywhere(|| async {
        for (reason, ending) in rows {
            for queued in [Queued::Keep, Queued::Purge] {
                let (journal, mut reader) = journal();
                let system = listening(&journal);
                let (it, seat) = system.address_with(MailboxOptions::bounded(4, WhenFull::Reject));
                let (its, watchers) = (journal.clone(), journal.clone());
                let child = actor_in("it", seat, move || Puppet::new("it", &its)).queued(queued);
                tolerant(one_for_one()).child(child).start(&system, "top").await.expect("starts");
                let watcher = system.spawn(move || Puppet::new("watcher", &watchers)).expect("open");
                reader.expect(&["it up", "watcher up"]).await;
                let watched = it.clone();
                watcher
                    .tell(act(move |_, context| {
                        context.monitor(&watched);
                        Ok(())
                    }))
                    .expect("there is room");
                let feed = Feed::new(&journal, 1..=100, Then::Wait);
                it.tell(wait(move |puppet, context| {
                    Box::pin(async move {
                        context.attach(feed, Msg::Mark);
                        context.sleep(ms(20)).await;
                        match ending {
                            Some(ending) => match ending() {
                                Msg::Do(ending) => ending(puppet, context).await,
                                _ => Ok(()),
                            },
                            None => std::future::pending().await,
                        }
                    })
                }))
                .expect("there is room");
                pass(ms(10)).await;
                if ending.is_none() {
                    it.kill();
                }
                pass(SECOND).await;
                let lines: Vec<String> =
                    reader.rest().into_iter().filter(|line| !line.starts_with("it stopping")).collect();
                let at = |what: &str| lines.iter().position(|line| line == what);
                let (gone, down, up) =
                    (at("stream gone"), at(&format!("watcher down {reason}")), at("it up"));
                assert!(gone.is_some() && gone < down && gone < up, "{lines:?}");
                let items = lines.iter().filter(|line| line.starts_with("it ") && *line != "it up").count();
                assert_eq!(items, if queued == Queued::Keep { 4 } else { 0 }, "{reason}: {lines:?}");
                assert!(!lines.iter().any(|line| line.contains("over")), "{lines:?}");
                let counted = it.statistics();
                assert!(
                    counted.is_conserved() && counted.waiting == 0 && counted.refused == 1,
                    "{counted:?}"
                );
                // The next life has a stream of its own.
                it.tell(attach(Feed::new(&journal, [7], Then::End))).expect("there is room");
                pass(SECOND).await;
                let lines = reader.rest();
                assert!(lines.contains(&"it 7".to_owned()), "{lines:?}");
                assert!(system.shutdown(SECOND).await.is_clean());
            }
        }
    });
}

/// Kills at every millisecond of a life with a stream and a slow handler, by several schedules: nothing is lost but what
/// was in hand or not let in, nothing comes twice, and nobody is left.
#[test]
fn killed_at_any_time_every_item_is_accounted_for() {
    for seed in 0..5 {
        for at in 0..40 {
            let run = Sim::new(Policy::Seeded(seed)).run(|world| async move {
                let (journal, mut reader) = journal();
                let system = system();
                let (it, seat) = system.address_with(MailboxOptions::bounded(3, WhenFull::Reject));
                let its = journal.clone();
                let child = actor_in("it", seat, move || Puppet::new("it", &its));
                tolerant(one_for_one()).child(child).start(&system, "top").await.expect("starts");
                let feed = Feed::new(&journal, 1..=20, Then::End);
                it.tell(act(move |_, context| {
                    context.attach(feed, |item| {
                        wait(move |puppet, context| {
                            Box::pin(async move {
                                context.sleep(ms(2)).await;
                                puppet.note(item);
                                Ok(())
                            })
                        })
                    });
                    Ok(())
                }))
                .expect("there is room");
                world.advance(ms(at)).await;
                it.kill();
                pass(SECOND).await;
                let counted = it.statistics();
                assert!(counted.is_conserved() && counted.queued == 0, "{counted:?}");
                let lines = reader.rest();
                assert_eq!(lines.iter().filter(|line| *line == "stream gone").count(), 1, "{lines:?}");
                let items: Vec<u32> = lines
                    .iter()
                    .filter_map(|line| line.strip_prefix("it ").and_then(|item| item.parse().ok()))
                    .collect();
                assert!(items.is_sorted() && items.len() as u64 == counted.handled - 1, "{lines:?}");
                assert!(system.shutdown(SECOND).await.is_clean());
            });
            run.result.unwrap_or_else(|error| panic!("{seed} {at}: {error}"));
            assert!(run.leaked.is_empty());
        }
    }
}
