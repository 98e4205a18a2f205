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
    later: Vec<Postponed>,
}

enum Msg {
    News(News),
    /// Holds the handler up until the other end says so, or is dropped.
    Hold(oneshot::Receiver<()>),
    Shut,
    /// Retries what was postponed; takes this back in the same breath.
    Open(Option<Revocation>),
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
            Msg::Open(revocation) => {
                self.is_shut = false;
                for postponed in std::mem::take(&mut self.later) {
                    self.journal.note(format!("retried {}", context.retry(postponed)));
                }
                if let Some(revocation) = revocation {
                    self.journal.note(format!("revoked {}", revocation.revoke()));
                }
            }
            Msg::Receive => {
                let found = context.receive(std::time::Duration::ZERO, |it| matches!(it, Msg::News(_)));
                self.journal.note(format!("received {}", found.await.is_some()));
            }
            Msg::News(_) if self.is_shut => self.later.push(context.postpone(message)),
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
    revocation: Revocation,
    life: Arc<()>,
}

impl Scene {
    async fn new(queued: Queued) -> Self {
        let system = System::builder().dead_letters(10).build().expect("in a runtime");
        let (journal, reader) = journal();
        let (it, seat) = system.address_with(MailboxOptions::bounded(2, WhenFull::Reject));
        let make = move || Subscriber { journal: journal.clone(), is_shut: false, later: Vec::new() };
        let tree = tolerant(one_for_one()).child(actor_in("it", seat, make).queued(queued));
        tree.start(&system, "top").await.expect("starts");
        Self { system, it, reader, revocation: Revocation::new(), life: Arc::default() }
    }

    fn news(&self) -> News {
        News { is_idempotent: false, held: None, life: self.life.clone() }
    }

    async fn send(&self, news: News) {
        self.it.send_revocable(Msg::News(news), &self.revocation).await.expect("it gets there");
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
        match stands {
            WithItsSender => {
                assert!(scene.revocation.revoke());
                scene.send(scene.news()).await;
            }
            BeforeTheMailbox => {
                for news in [scene.news(), News { is_idempotent: true, ..scene.news() }] {
                    scene.tell(Msg::News(news));
                }
                let (it, news, by) = (scene.it.clone(), scene.news(), scene.revocation.clone());
                sending = Some(aside(async move { it.send_revocable(Msg::News(news), &by).await.is_ok() }));
                turns().await;
                assert_eq!(scene.it.statistics().waiting, 1);
            }
            _ => scene.send(scene.news()).await,
        }
        turns().await;
        assert!(scene.revocation.revoke(), "{stands:?}: nobody has it in hand");
        assert!(scene.revocation.revoke(), "{stands:?}: and that stays so");
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

#[tokio::test(start_paused = true)]
async fn what_is_in_hand_is_not_taken_back() {
    let mut scene = Scene::new(Queued::Keep).await;
    let (release, held) = oneshot::channel();
    scene.send(News { held: Some(held), ..scene.news() }).await;
    turns().await;
    assert!(!scene.revocation.revoke());
    drop(release);
    assert_eq!(scene.lines().await, ["began", "read"]);
    assert!(!scene.revocation.revoke(), "it was handled");
    scene.send(scene.news()).await;
    assert_eq!(scene.lines().await, [""; 0], "what is sent afterwards is taken back");

    // Postponed, and on its way back into the actor's hands.
    let mut scene = Scene::new(Queued::Keep).await;
    scene.tell(Msg::Shut);
    scene.send(scene.news()).await;
    turns().await;
    scene.tell(Msg::Open(Some(scene.revocation.clone())));
    assert_eq!(scene.lines().await, ["retried true", "revoked false", "began", "read"]);
    assert_eq!(scene.it.statistics().skipped, 0);

    // In hand at a crash, and to be handled again.
    let mut scene = Scene::new(Queued::Keep).await;
    let (release, held) = oneshot::channel();
    scene.send(News { held: Some(held), is_idempotent: true, ..scene.news() }).await;
    turns().await;
    assert!(!scene.revocation.revoke(), "it has done something");
    assert!(scene.it.kill());
    assert_eq!(scene.lines().await, ["began"], "but does no more");
    assert_eq!((scene.it.statistics().skipped, scene.is_dropped()), (1, true));
    drop(release);
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
    let refused = scene.it.send_revocable(Msg::News(scene.news()), &scene.revocation).await;
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
                let revocation = Revocation::new();
                for _ in 0..2 {
                    let sent = itself.send_revocable(crate::support::Msg::Mark(1), &revocation).await;
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
        type Msg = u32;
        async fn handle(&mut self, number: u32, _: &mut Context<u32>) -> Handled {
            self.0.lock().expect("nobody panics").insert(number);
            Ok(())
        }
    }
    let system = system();
    let handled: Arc<Mutex<BTreeSet<u32>>> = Arc::default();
    let theirs = handled.clone();
    let it = system.spawn(|| Collects(theirs)).expect("open");
    let mut revoking = Vec::new();
    for number in 0..20_000 {
        let revocation = Revocation::new();
        it.send_revocable(number, &revocation).await.expect("it lives");
        revoking.push(aside(async move { (number, revocation.revoke()) }));
    }
    let mut kept = BTreeSet::new();
    for revoked in revoking {
        match revoked.await.expect("it does not panic") {
            (_, true) => {}
            (number, false) => assert!(kept.insert(number)),
        }
    }
    while it.queued() > 0 || it.statistics().in_hand > 0 {
        tokio::task::yield_now().await;
    }
    let counts = it.statistics();
    assert_eq!((counts.handled, counts.skipped), (kept.len() as u64, 20_000 - kept.len() as u64));
    assert_eq!(*handled.lock().expect("nobody panics"), kept);
}
