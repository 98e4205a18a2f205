//! Messages that are taken back: skipped wherever they stand, unless they came into the actor's hands first.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use minder::prelude::*;
use minder::{Cause, MailboxOptions, Postponed, Queued, Revocation, WhenFull};
use tokio::sync::oneshot;

use crate::support::*;

/// Reads what it is sent; postpones it while it is shut.
struct Subscriber {
    journal: Journal,
    is_shut: bool,
    is_ajar: bool,
    later: Vec<Postponed>,
}

enum Msg {
    News(News),
    /// Holds the handler up until the other end says so, or is dropped.
    Hold(oneshot::Receiver<()>),
    Shut,
    /// The next news suspends it, is postponed and retried in one breath.
    Ajar,
    /// Retries what was postponed; takes this back in the same breath.
    Open(Option<Revocation>),
    /// The same, and ends.
    OpenAndCrash(Revocation),
    /// Takes news out of the lane.
    Receive,
}

struct News {
    /// What the next life gets if this one crashes with it in hand.
    is_idempotent: bool,
    held: Option<oneshot::Receiver<()>>,
    /// There as long as the message is.
    life: Arc<()>,
}

impl Subscriber {
    fn open(&mut self, revocation: Option<Revocation>, context: &mut Context<Msg>) {
        self.is_shut = false;
        for postponed in std::mem::take(&mut self.later) {
            self.journal.note(format!("retried {}", context.retry(postponed)));
        }
        if let Some(revocation) = revocation {
            self.journal.note(format!("revoked {}", revocation.revoke()));
        }
    }
}

impl Actor for Subscriber {
    type Msg = Msg;

    fn redelivery(message: &Msg) -> Option<Msg> {
        match message {
            Msg::News(News { is_idempotent: true, life, .. }) => {
                Some(Msg::News(News { is_idempotent: true, held: None, life: life.clone() }))
            }
            _ => None,
        }
    }

    async fn handle(&mut self, message: Msg, context: &mut Context<Msg>) -> Handled {
        match message {
            Msg::Hold(until) => drop(until.await),
            Msg::Shut => self.is_shut = true,
            Msg::Ajar => self.is_ajar = true,
            Msg::Open(revocation) => self.open(revocation, context),
            Msg::OpenAndCrash(revocation) => {
                self.open(Some(revocation), context);
                context.tell_self_next(Msg::Hold(oneshot::channel().1));
                return Err(Plain("boom").into());
            }
            Msg::Receive => {
                let found = context.receive(std::time::Duration::ZERO, |it| matches!(it, Msg::News(_)));
                self.journal.note(format!("received {}", found.await.is_some()));
            }
            Msg::News(news) if std::mem::take(&mut self.is_ajar) => {
                context.address().suspend();
                let postponed = context.postpone(Msg::News(news));
                self.journal.note(format!("retried {}", context.retry(postponed)));
            }
            Msg::News(News { held, is_idempotent, life }) if self.is_shut => {
                if let Some(until) = held {
                    drop(until.await);
                }
                let news = News { held: None, is_idempotent, life };
                self.later.push(context.postpone(Msg::News(news)));
            }
            Msg::News(News { held, .. }) => {
                self.journal.note("began");
                if let Some(until) = held {
                    drop(until.await);
                }
                self.journal.note("read");
            }
        }
        Ok(())
    }
}

struct Scene {
    system: System,
    it: Addr<Msg>,
    reader: Reader,
    life: Arc<()>,
}

impl Scene {
    async fn new(queued: Queued) -> Self {
        let system = System::builder().dead_letters(10).build().expect("in a runtime");
        let (journal, reader) = journal();
        let (it, seat) = system.address_with(MailboxOptions::bounded(2, WhenFull::Reject));
        let make = move || Subscriber {
            journal: journal.clone(),
            is_shut: false,
            is_ajar: false,
            later: Vec::new(),
        };
        let tree = tolerant(one_for_one()).child(actor_in("it", seat, make).queued(queued));
        tree.start(&system, "top").await.expect("starts");
        Self { system, it, reader, life: Arc::default() }
    }

    fn news(&self) -> News {
        News { is_idempotent: false, held: None, life: self.life.clone() }
    }

    async fn send(&self, news: News) -> Revocation {
        let (revocation, sent) = self.it.send_revocable(Msg::News(news));
        sent.await.expect("it gets there");
        revocation
    }

    fn tell(&self, message: Msg) {
        self.it.tell(message).expect("there is room");
    }

    /// What has been written, when everything that is ready has run and every message is accounted for.
    async fn lines(&mut self) -> Vec<String> {
        turns().await;
        let counts = self.it.statistics();
        assert!(counts.is_conserved(), "{counts:?}");
        assert_eq!((counts.queued, counts.in_hand, counts.waiting), (0, 0, 0));
        self.reader.rest()
    }

    fn is_dropped(&self) -> bool {
        Arc::strong_count(&self.life) == 1
    }
}

/// Where a message stands when it is taken back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    WithItsSender,
    /// There is no room for it.
    BeforeTheMailbox,
    InTheLane,
    /// And its actor crashes before it gets there.
    InTheLaneOfACrash,
    /// And is looked for there.
    WhereItIsReceived,
    Postponed,
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_back_is_skipped_wherever_it_stands() {
    use Stands::*;
    // where; what its actor writes
    let rows: [(Stands, &[&str]); 6] = [
        (WithItsSender, &[]),
        (BeforeTheMailbox, &["began", "read", "began", "read"]),
        (InTheLane, &[]),
        (InTheLaneOfACrash, &[]),
        (WhereItIsReceived, &["received false"]),
        (Postponed, &["retried false"]),
    ];
    for (stands, lines) in rows {
        let mut scene = Scene::new(Queued::Keep).await;
        let (release, held) = oneshot::channel();
        scene.tell(if stands == Postponed { Msg::Shut } else { Msg::Hold(held) });
        turns().await;
        if stands == WhereItIsReceived {
            scene.tell(Msg::Receive);
        }
        let mut sending = None;
        let revocation = match stands {
            WithItsSender => {
                let (revocation, sent) = scene.it.send_revocable(Msg::News(scene.news()));
                assert!(revocation.revoke());
                sent.await.expect("it gets there");
                revocation
            }
            BeforeTheMailbox => {
                for news in [scene.news(), News { is_idempotent: true, ..scene.news() }] {
                    scene.tell(Msg::News(news));
                }
                let (it, news, (tell, told)) = (scene.it.clone(), scene.news(), oneshot::channel());
                sending = Some(aside(async move {
                    let (revocation, sent) = it.send_revocable(Msg::News(news));
                    assert!(tell.send(revocation).is_ok());
                    sent.await.is_ok()
                }));
                turns().await;
                assert_eq!(scene.it.statistics().waiting, 1);
                told.await.expect("it is sent")
            }
            _ => scene.send(scene.news()).await,
        };
        turns().await;
        assert!(revocation.revoke(), "{stands:?}: nobody has it in hand");
        assert!(revocation.revoke(), "{stands:?}: and that stays so");
        match stands {
            Postponed => scene.tell(Msg::Open(None)),
            InTheLaneOfACrash => assert!(scene.it.kill()),
            _ => drop(release),
        }
        assert_eq!(scene.lines().await, lines, "{stands:?}");
        if let Some(sending) = sending {
            assert!(sending.await.expect("it does not panic"), "it got there, and no further");
        }
        assert_eq!((scene.it.statistics().skipped, scene.is_dropped()), (1, true), "{stands:?}");
    }
}

/// Either it is taken back and never handled, or it is not and is.
#[tokio::test(start_paused = true)]
async fn what_is_in_hand_is_not_taken_back() {
    let mut scene = Scene::new(Queued::Keep).await;
    let (release, held) = oneshot::channel();
    let revocation = scene.send(News { held: Some(held), ..scene.news() }).await;
    turns().await;
    assert!(!revocation.revoke());
    drop(release);
    assert_eq!(scene.lines().await, ["began", "read"]);
    assert!(!revocation.revoke(), "it was handled");

    // On its way back into the actor's hands.
    let mut scene = Scene::new(Queued::Keep).await;
    scene.tell(Msg::Shut);
    let revocation = scene.send(scene.news()).await;
    turns().await;
    scene.tell(Msg::Open(Some(revocation)));
    assert_eq!(scene.lines().await, ["retried true", "revoked false", "began", "read"]);
    assert_eq!(scene.it.statistics().skipped, 0);

    // Postponed by the handler that has it in hand: before that in vain, after that not.
    for is_taken_back in [false, true] {
        let mut scene = Scene::new(Queued::Keep).await;
        scene.tell(Msg::Shut);
        let (release, held) = oneshot::channel();
        let revocation = scene.send(News { held: Some(held), ..scene.news() }).await;
        turns().await;
        assert!(!revocation.revoke());
        drop(release);
        turns().await;
        if is_taken_back {
            assert!(revocation.revoke(), "it waits again");
        }
        scene.tell(Msg::Open(None));
        let lines: &[&str] =
            if is_taken_back { &["retried false"] } else { &["retried true", "began", "read"] };
        assert_eq!(scene.lines().await, lines);
        assert_eq!(revocation.revoke(), is_taken_back, "and that stays so");
    }
}

/// It never waits in between: it is handled next, and whoever takes it back meanwhile comes too late.
#[tokio::test(start_paused = true)]
async fn what_is_postponed_and_retried_in_one_breath_is_not_taken_back() {
    let mut scene = Scene::new(Queued::Keep).await;
    scene.tell(Msg::Ajar);
    let revocation = scene.send(scene.news()).await;
    turns().await;
    assert!(!revocation.revoke(), "it is on its way back");
    assert!(scene.it.resume());
    assert_eq!(scene.lines().await, ["retried true", "began", "read"]);
    assert_eq!((scene.it.statistics().skipped, scene.is_dropped()), (0, true));
}

/// Its life ends before it was handled to the end: what was not taken back comes in the next.
#[tokio::test(start_paused = true)]
async fn what_was_not_taken_back_comes_in_the_next_life() {
    // In hand at a crash, and to be handled again.
    let mut scene = Scene::new(Queued::Keep).await;
    let (_release, held) = oneshot::channel();
    let revocation = scene.send(News { held: Some(held), is_idempotent: true, ..scene.news() }).await;
    turns().await;
    assert!(!revocation.revoke());
    assert!(scene.it.kill());
    assert_eq!(scene.lines().await, ["began", "began", "read"]);

    // Retried by a handler that is the last of its life.
    let mut scene = Scene::new(Queued::Keep).await;
    scene.tell(Msg::Shut);
    let revocation = scene.send(scene.news()).await;
    turns().await;
    scene.tell(Msg::OpenAndCrash(revocation));
    assert_eq!(scene.lines().await, ["retried true", "revoked false", "began", "read"]);
    assert_eq!((scene.it.statistics().skipped, scene.is_dropped()), (0, true));
}

/// It is a message like any other in whatever else may befall it.
#[tokio::test(start_paused = true)]
async fn what_is_not_taken_back_is_a_message_like_any_other() {
    for (queued, lines) in [(Queued::Keep, vec!["began", "read"]), (Queued::Purge, vec![])] {
        let mut scene = Scene::new(queued).await;
        let (_release, held) = oneshot::channel();
        scene.tell(Msg::Hold(held));
        turns().await;
        scene.send(scene.news()).await;
        assert!(scene.it.kill());
        assert_eq!(scene.lines().await, lines);
        let counts = scene.it.statistics();
        assert_eq!((counts.skipped, counts.purged), (0, u64::from(lines.is_empty())));
        assert!(!scene.is_dropped() || queued == Queued::Keep, "it is a dead letter");
    }
    // Where nobody will live any more it comes back, or is a letter.
    let scene = Scene::new(Queued::Keep).await;
    let (_release, held) = oneshot::channel();
    scene.tell(Msg::Hold(held));
    turns().await;
    scene.send(scene.news()).await;
    assert_eq!(scene.system.shutdown(SECOND).await.left, 0);
    let letters = scene.system.dead_letters().of_cause(Cause::Stopped);
    assert!(letters.iter().all(|letter| letter.has_message) && letters.len() == 1, "{letters:?}");
    let refused = scene.it.send_revocable(Msg::News(scene.news())).1.await;
    assert!(matches!(refused, Err(TellError::Stopped(_, Msg::News(_)))));
    assert!(scene.it.statistics().is_conserved());
    // An actor cannot wait for room that only itself can make.
    let system = system();
    let (address, seat) = system.address_with(MailboxOptions::bounded(1, WhenFull::Reject));
    let (journal, mut reader) = journal();
    let puppet = journal.clone();
    system.start(seat, "it", move || Puppet::new("it", &puppet)).await.expect("it starts");
    let itself = address.clone();
    address
        .tell(wait(move |puppet, _| {
            Box::pin(async move {
                for _ in 0..2 {
                    let sent = itself.send_revocable(crate::support::Msg::Mark(1)).1.await;
                    puppet.note(match sent {
                        Ok(()) => "ok",
                        Err(TellError::Full(_)) => "full",
                        Err(_) => "?",
                    });
                }
                Ok(())
            })
        }))
        .expect("there is room");
    turns().await;
    assert_eq!(reader.rest(), ["it up", "it ok", "it full", "it 1"]);
    assert!(address.statistics().is_conserved());
}

/// On threads of their own: what was taken back is never handled, and what was not always is.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_revocation_and_a_handler_one_comes_first() {
    struct Collects(Arc<Mutex<BTreeSet<u32>>>);
    impl Actor for Collects {
        type Msg = Result<u32, Reply<()>>;
        async fn handle(&mut self, message: Self::Msg, _: &mut Context<Self::Msg>) -> Handled {
            match message {
                Ok(number) => drop(self.0.lock().expect("nobody panics").insert(number)),
                Err(reply) => drop(reply.send(())),
            }
            Ok(())
        }
    }
    let system = system();
    let handled: Arc<Mutex<BTreeSet<u32>>> = Arc::default();
    let theirs = handled.clone();
    let it = system.spawn(|| Collects(theirs)).expect("open");
    let mut revoking = Vec::new();
    for number in 0..20_000 {
        let (revocation, sent) = it.send_revocable(Ok(number));
        sent.await.expect("it lives");
        revoking.push(aside(async move { (number, revocation.revoke()) }));
    }
    let mut kept = BTreeSet::new();
    for revoked in revoking {
        match revoked.await.expect("it does not panic") {
            (_, true) => {}
            (number, false) => assert!(kept.insert(number)),
        }
    }
    it.ask(Err).await.expect("it has come to the end");
    assert_eq!(it.statistics().skipped, 20_000 - kept.len() as u64);
    assert_eq!(*handled.lock().expect("nobody panics"), kept);
}
