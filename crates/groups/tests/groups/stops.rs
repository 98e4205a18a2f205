//! Deliveries that are stopped: nothing comes of them after that, wherever the next event stands; and it counts as missed.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use minder_groups::{Bus, Delivering, GroupEvent, Heard, HeardBy, Member};
use minder_runtime::{Addr, Context, ExitReason, MailboxOptions, Recipe, System, WhenFull};
use tokio::sync::oneshot;

use crate::support::*;

/// Where an event stands when its delivery is stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    /// The one before is in hand.
    InItsLine,
    /// There is no room in the mailbox.
    OnItsWay,
    InTheMailbox,
    /// And it is the actor that stops it.
    InTheMailboxOfWhoStops,
    /// And it is kept for the next life.
    InTheMailboxOfACrash,
    Postponed,
    InHand,
}

const ALL: [Stands; 7] = [
    Stands::InItsLine,
    Stands::OnItsWay,
    Stands::InTheMailbox,
    Stands::InTheMailboxOfWhoStops,
    Stands::InTheMailboxOfACrash,
    Stands::Postponed,
    Stands::InHand,
];

/// An actor that is busy in such a way that the next event will stand there.
struct Busy {
    it: Addr<Msg>,
    reader: Reader,
    stands: Stands,
    release: oneshot::Sender<()>,
    delivering: Option<Delivering>,
}

impl Busy {
    /// `before`: makes an event that comes before.
    async fn new(
        system: &System,
        stands: Stands,
        deliver: impl FnOnce(&mut Context<Msg>) -> Result<Delivering, ExitReason> + Send + 'static,
        before: impl FnOnce(),
    ) -> Self {
        let (make, mut reader) = pawns(|_| Ok(()));
        let (it, seat) = system.address_with(MailboxOptions::bounded(3, WhenFull::Reject));
        minder(system, Recipe::in_seat(seat, make), true);
        let (tell, told) = oneshot::channel();
        it.tell(act(move |context| {
            drop(tell.send(deliver(context)?));
            Ok(())
        }))
        .expect("there is room");
        let mut delivering = Some(soon(told).await.expect("it was sent"));
        settle().await;
        reader.rest();
        let (release, held) = oneshot::channel();
        it.tell(match stands {
            Stands::InItsLine | Stands::InHand => Msg::HoldNews(held),
            Stands::Postponed => Msg::Shut,
            _ => Msg::Hold(held),
        })
        .expect("there is room");
        settle().await;
        match stands {
            Stands::InItsLine => before(),
            Stands::OnItsWay => (0..3).for_each(|number| it.tell(Msg::Note(number)).expect("there is room")),
            Stands::InTheMailboxOfWhoStops => {
                let delivering = delivering.take();
                let stop = act(move |_| {
                    delivering.into_iter().for_each(Delivering::stop);
                    Ok(())
                });
                it.tell(stop).expect("there is room");
            }
            _ => {}
        }
        settle().await;
        Self { it, reader, stands, release, delivering }
    }

    fn stop(&mut self) {
        self.delivering.take().into_iter().for_each(Delivering::stop);
    }

    /// What comes when it is busy no more, but for what this is not about.
    async fn lines(mut self) -> Vec<Line> {
        match self.stands {
            Stands::InTheMailboxOfACrash => assert!(self.it.kill()),
            Stands::Postponed => self.it.tell(Msg::Open).expect("there is room"),
            _ => drop(self.release),
        }
        settle().await;
        let counts = self.it.statistics();
        assert!(counts.is_conserved() && counts.queued == 0, "{counts:?}");
        let skipped = match self.stands {
            // Its carrier does not wait for room any more.
            Stands::InItsLine | Stands::OnItsWay | Stands::InHand => 0,
            _ => 1,
        };
        assert_eq!(counts.skipped, skipped, "{:?}", self.stands);
        let mut lines = self.reader.rest();
        lines.retain(|line| !matches!(line, Line::Up(_) | Line::Note(_)));
        lines
    }
}

/// What has come of it, if anything has.
async fn now<T>(what: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    poll_fn(|cx| match Pin::new(&mut *what).poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// And whoever else reads the watch is told the whole again if something was taken back.
/// OTP: PG-006.
#[tokio::test(start_paused = true)]
async fn nothing_of_a_watch_comes_after_its_delivery_is_stopped() {
    for stands in ALL {
        let system = system();
        let group = kept(&system).groups.group::<Msg>("it");
        let [before, first, second] = [(); 3].map(|()| Member::seat(&pawn(&system)));
        let join = |member: &Member<Msg>| group.join_many(std::slice::from_ref(member)).expect("open");
        let watch = group.watch();
        let twin = watch.clone();
        let deliver = move |context: &mut Context<Msg>| watch.deliver_to(context);
        let mut busy = Busy::new(&system, stands, deliver, || join(&before)).await;
        join(&first);
        settle().await; // it is there
        busy.stop();
        join(&second);
        settle().await;
        let lines = busy.lines().await;
        let joined = |member: &Member<Msg>| Line::Changed(GroupEvent::Joined(member.clone()));
        match stands {
            Stands::InItsLine => assert_eq!(lines, [joined(&before)], "it was in hand"),
            Stands::InHand => assert_eq!(lines, [joined(&first)]),
            Stands::Postponed => assert_eq!(lines, [Line::Retried(false)]),
            _ => assert_eq!(lines, [], "{stands:?}"),
        }
        let next = twin.try_next();
        match stands {
            Stands::InItsLine => assert_eq!(next, Some(GroupEvent::Joined(first))),
            Stands::InHand => assert_eq!(next, Some(GroupEvent::Joined(second))),
            _ => assert_eq!(next, Some(GroupEvent::Members(vec![first, second])), "{stands:?}"),
        }
    }
}

/// Whoever waits for the event goes on at once, and who else reads the line hears of one that was missed.
#[tokio::test(start_paused = true)]
async fn an_event_that_is_taken_back_was_missed() {
    for (stands, has_twin) in ALL.iter().flat_map(|stands| [(*stands, false), (*stands, true)]) {
        let (system, bus) = (system(), Bus::new());
        let listener = bus.listen(10);
        let twin = has_twin.then(|| listener.clone());
        let deliver = move |context: &mut Context<Msg>| listener.deliver_to(context);
        let before = || assert_eq!(bus.publish(0), 1);
        let mut busy = Busy::new(&system, stands, deliver, before).await;
        let mut waits = pin!(bus.publish_and_wait(1));
        assert!(is_pending(&mut waits).await);
        settle().await; // it is there
        assert!(is_pending(&mut waits).await, "nobody is done with it");
        busy.stop();
        settle().await;
        let at_once = now(&mut waits).await;
        let is_late = matches!(stands, Stands::InHand | Stands::InTheMailboxOfWhoStops);
        let is_left_to_twin = has_twin && stands == Stands::InItsLine;
        let missed = HeardBy { done: 0, missed: 1 };
        assert_eq!(at_once, (!is_late && !is_left_to_twin).then_some(missed), "{stands:?}");
        let still_listens = has_twin || stands == Stands::InTheMailboxOfWhoStops;
        assert_eq!(bus.listeners(), usize::from(still_listens), "{stands:?}");

        let lines = busy.lines().await;
        let heard = |number: u32| Line::Heard(Heard::Event(number.into()));
        match stands {
            Stands::InItsLine => assert_eq!(lines, [heard(0)], "it was in hand"),
            Stands::InHand => assert_eq!(lines, [heard(1)]),
            Stands::Postponed => assert_eq!(lines, [Line::Retried(false)]),
            _ => assert_eq!(lines, [], "{stands:?}"),
        }
        if is_late {
            let done = HeardBy { done: 1, missed: 0 };
            assert_eq!(soon(waits).await, if stands == Stands::InHand { done } else { missed });
        }
        if let Some(twin) = twin {
            let next = twin.try_next();
            match stands {
                Stands::InItsLine => assert_eq!(next, Some(Heard::Event(1.into()))),
                Stands::InHand => assert_eq!(next, None),
                _ => assert_eq!(next, Some(Heard::Lagged(1)), "{stands:?}"),
            }
        }
        assert_eq!(bus.listeners(), 0);
    }
}

/// Its life has ended, and it with it: what is left in the mailbox is the next life's.
#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_over_takes_nothing_back() {
    let (system, bus) = (system(), Bus::new());
    let (make, mut reader) = pawns(|_| Ok(()));
    let (it, seat) = system.address();
    let minder = minder(&system, Recipe::in_seat(seat, make), false);
    let (tell, told) = oneshot::channel();
    let listener = bus.listen(10);
    it.tell(act(move |context| {
        drop(tell.send(listener.deliver_to(context)?));
        Ok(())
    }))
    .expect("there is room");
    let delivering = soon(told).await.expect("it was sent");
    let (_release, held) = oneshot::channel();
    it.tell(Msg::Hold(held)).expect("there is room");
    assert_eq!(bus.publish(1), 1);
    settle().await;
    minder.ask(Order::Kill).await.expect("the minder answers");
    settle().await;
    assert_eq!(bus.publish(2), 0, "nobody listens");
    delivering.stop();
    minder.ask(Order::Start).await.expect("the minder answers");
    settle().await;
    assert_eq!(reader.rest(), [Line::Up(1), Line::Up(2), Line::Heard(Heard::Event(1.into()))]);
}

/// On threads of their own: what counts as missed is never handled, and what does not always is.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_waits_is_told_what_has_come_of_it_also_while_it_is_stopped() {
    const TIMES: u32 = 2_000;
    let (system, bus) = (system(), Bus::new());
    let (make, mut reader) = pawns(|_| Ok(()));
    let it = system.spawn(make).expect("open");
    assert_eq!(reader.next().await, Line::Up(1));
    let mut done = Vec::new();
    for number in 0..TIMES {
        let (tell, told) = oneshot::channel();
        let listener = bus.listen(10);
        it.tell(act(move |context| {
            drop(tell.send(listener.deliver_to(context)?));
            Ok(())
        }))
        .expect("there is room");
        let delivering = told.await.expect("it was sent");
        let publisher = bus.clone();
        let waits = aside(async move { publisher.publish_and_wait(number).await });
        (0..number % 50).for_each(|_| std::hint::spin_loop());
        delivering.stop();
        match waits.await.expect("it does not panic") {
            HeardBy { done: 1, missed: 0 } => done.push(number),
            heard => assert!(heard.done == 0 && heard.missed < 2, "{heard:?}"),
        }
        while bus.listeners() > 0 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(it.ask(Msg::Life).await.expect("it answers"), 1);
    let expected = done.into_iter().map(|number| Line::Heard(Heard::Event(number.into())));
    assert_eq!(reader.rest(), expected.collect::<Vec<_>>());
    assert!(it.statistics().is_conserved());
}
