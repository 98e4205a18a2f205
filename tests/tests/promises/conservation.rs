//! Nothing that was offered is ever unaccounted for: random actors with random policies under random supervisors, random
//! workloads, crashes, kills, stops and restarts, against counts that clients and actors keep by themselves.
//! A run is its seed; a failure names it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::Root;
use minder::{Cause, MailboxOptions, Queued, Revocation, Statistics, WhenFull};
use tokio::task::AbortHandle;

use crate::random::Random;
use crate::support::*;
use crate::worker::*;

const RUNS: u64 = 1_200;
const STEPS: u32 = 60;

/// What its clients know of one actor.
#[derive(Default)]
struct Offers {
    offered: AtomicU64,
    /// Surely refused: it came back.
    refused: AtomicU64,
    /// Refused, or let in and given back later: an asker cannot tell.
    unsure: AtomicU64,
    purged: AtomicU64,
    dropped: AtomicU64,
    poisoned: AtomicU64,
    crashed: AtomicU64,
    stopped: AtomicU64,
}

fn more(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

struct Subject {
    address: Addr<Job>,
    counted: Counted,
    offers: Arc<Offers>,
    /// Senders that may still wait for room.
    sending: Vec<AbortHandle>,
    /// For messages that may still stand somewhere.
    revocations: Arc<Mutex<Vec<Revocation>>>,
}

struct Run {
    random: Random,
    system: System,
    root: Root,
    subjects: Vec<Subject>,
    /// One for each job that was ever made.
    lives: Vec<Weak<()>>,
    reach: Rc<RefCell<Reach>>,
}

/// What all runs together have come to see: how many of each.
#[derive(Default)]
struct Reach(BTreeMap<&'static str, u64>);

/// A test that does not get there has lost its reach.
const SEEN: [&str; 19] = [
    "offered",
    "refused",
    "waiting",
    "in hand",
    "queued",
    "handled",
    "skipped",
    "revoked",
    "quarantined",
    "crashed",
    "purged",
    "dropped",
    "expired",
    "stopped",
    "redelivered",
    "postponed",
    "epochs",
    "replayed",
    "given up",
];

impl Reach {
    fn saw(&mut self, what: &'static str, many: u64) {
        *self.0.entry(what).or_default() += many;
    }
}

const POLICIES: [WhenFull; 4] =
    [WhenFull::Reject, WhenFull::Wait, WhenFull::DropOldest, WhenFull::DropNewest];

impl Run {
    async fn begin(seed: u64, reach: Rc<RefCell<Reach>>) -> Self {
        let mut random = Random(seed);
        let system = System::builder()
            .dead_letters(usize::try_from(random.pick(&[0, 3, 100_000])).expect("small"))
            .quarantine(usize::try_from(random.pick(&[1, 100_000])).expect("small"))
            .build()
            .expect("in a runtime");
        let mut spec = random.pick(&[one_for_one, one_for_all, rest_for_one])();
        // A few give up in the middle of it.
        spec = if random.one_in(4) { spec.limit(3, SECOND) } else { spec.limit(10_000, SECOND) };
        let journal = journal().0;
        let mut subjects = Vec::new();
        for name in ["a", "b", "c"].into_iter().take(1 + usize::try_from(random.below(3)).expect("few")) {
            let capacity = u32::try_from(1 + random.below(6)).expect("few");
            let options = if random.one_in(8) {
                MailboxOptions::unbounded()
            } else {
                MailboxOptions::bounded(capacity, random.pick(&POLICIES))
            };
            let (address, seat) = system.address_with(options);
            let counted = Counted::default();
            let make = {
                let (journal, counted) = (journal.clone(), counted.clone());
                move || Worker::new(name, &journal, &counted)
            };
            let child = actor_in(name, seat, make)
                .restart(random.pick(&[
                    Restart::Permanent,
                    Restart::Permanent,
                    Restart::Transient,
                    Restart::Temporary,
                ]))
                .queued(random.pick(&[Queued::Keep, Queued::Purge]))
                .quarantine_after(u8::try_from(1 + random.below(4)).expect("few"))
                .handler_limit(Duration::from_millis(20 + random.below(200)));
            spec = spec.child(child);
            subjects.push(Subject {
                address,
                counted,
                offers: Arc::default(),
                sending: Vec::new(),
                revocations: Arc::default(),
            });
        }
        let root = spec.start(&system, "top").await.expect("starts");
        Self { random, system, root, subjects, lives: Vec::new(), reach }
    }

    fn job(&mut self) -> Job {
        let random = &mut self.random;
        let id = u32::try_from(self.lives.len()).expect("few");
        let mut job = Job::new(id);
        if random.one_in(2) {
            job = job.idempotent();
        }
        if random.one_in(3) {
            job = job.taking(random.milliseconds(30));
        }
        if random.one_in(5) {
            let how = random.pick(&[How::Panic, How::Error, How::Hang]);
            job = job.failing(how, u32::try_from(1 + random.below(4)).expect("few"));
        }
        if random.one_in(5) {
            job = job.postponed(u32::try_from(1 + random.below(3)).expect("few"));
            job.postponed_with_a_crash = random.one_in(4);
        }
        job.stops = random.one_in(40);
        self.lives.push(job.life());
        job
    }

    async fn step(&mut self) {
        let at = usize::try_from(self.random.below(self.subjects.len() as u64)).expect("few");
        match self.random.below(20) {
            0..6 => {
                let job = self.job();
                let Subject { address, offers, .. } = &self.subjects[at];
                more(&offers.offered);
                if address.tell(job).is_err() {
                    more(&offers.refused);
                }
            }
            6..9 => {
                let job = self.job();
                let Subject { address, offers, sending, revocations, .. } = &mut self.subjects[at];
                let (address, offers) = (address.clone(), offers.clone());
                let revocations = self.random.one_in(3).then(|| revocations.clone());
                let client = async move {
                    more(&offers.offered);
                    let sent = match revocations {
                        Some(revocations) => {
                            let (revocation, sent) = address.send_revocable(job);
                            revocations.lock().expect("nobody panics").push(revocation);
                            sent.await
                        }
                        None => address.send(job).await,
                    };
                    if sent.is_err() {
                        more(&offers.refused);
                    }
                };
                sending.push(aside(client).abort_handle());
            }
            9..14 => {
                let job = self.job();
                let patience = Duration::from_millis(1) + self.random.milliseconds(150);
                let Subject { address, offers, .. } = &self.subjects[at];
                let (address, offers) = (address.clone(), offers.clone());
                let turns_away = self.random.one_in(5).then(|| self.random.milliseconds(30));
                drop(aside(async move {
                    more(&offers.offered);
                    let asking = address.ask_within(patience, |reply| job.asking(reply));
                    let outcome = match turns_away {
                        Some(time) => tokio::time::timeout(time, asking).await,
                        None => Ok(asking.await),
                    };
                    more(match outcome {
                        Ok(Ok(_)) => return,
                        Ok(Err(AskError::Full(_))) => &offers.refused,
                        Ok(Err(AskError::Purged(_))) => &offers.purged,
                        Ok(Err(AskError::Dropped)) => &offers.dropped,
                        Ok(Err(AskError::Poisoned)) => &offers.poisoned,
                        Ok(Err(AskError::Crashed(_))) => &offers.crashed,
                        Ok(Err(AskError::Stopped(_, message))) => {
                            assert!(message.is_some(), "it was never handled, so it comes back");
                            &offers.stopped
                        }
                        Ok(Err(AskError::NoReply)) => panic!("a worker answers or ends"),
                        // It may have waited for room.
                        _ => &offers.unsure,
                    });
                }));
            }
            14 => {
                self.subjects[at].address.kill();
            }
            15 => {
                // One that sends turns away, or takes back what it has sent.
                let Subject { sending, revocations, .. } = &mut self.subjects[at];
                if self.random.one_in(2) {
                    sending.pop().iter().for_each(AbortHandle::abort);
                } else if let Some(revocation) = revocations.lock().expect("nobody panics").pop()
                    && revocation.revoke()
                {
                    self.reach.borrow_mut().saw("revoked", 1);
                }
            }
            16 => {
                let Subject { address, offers, .. } = &self.subjects[at];
                let letters =
                    if self.random.one_in(2) { address.quarantine() } else { address.dead_letters() };
                if let Some(letter) = letters.list().first().filter(|letter| letter.has_message) {
                    // What was begun before is not begun for the first time: the worker would complain.
                    if letter.attempts == 0 {
                        more(&offers.offered);
                        match letters.replay(letter.id) {
                            Ok(()) => self.reach.borrow_mut().saw("replayed", 1),
                            Err(_) => more(&offers.refused),
                        }
                    } else {
                        assert!(letters.discard(letter.id));
                    }
                }
            }
            _ => {
                let time = self.random.milliseconds(25);
                pass(time).await;
            }
        }
        if self.random.one_in(6) {
            self.check().await;
        }
    }

    /// Everything that is ready has run.
    async fn check(&self) {
        turns().await;
        let letters = self.system.dead_letters();
        for subject in &self.subjects {
            let Subject { address, counted, offers, .. } = subject;
            let is = address.statistics();
            let case = || format!("{}: {is:?}", address.path());
            assert!(is.is_conserved(), "{}", case());
            let mut reach = self.reach.borrow_mut();
            for (what, many) in [("in hand", is.in_hand), ("waiting", is.waiting), ("queued", is.queued)] {
                reach.saw(what, many);
            }
            assert_eq!(is.offered + is.waiting, read(&offers.offered), "offers, {}", case());
            assert_eq!(is.handled, read(&counted.handled), "handled, {}", case());
            assert_eq!(is.in_hand, read(&counted.in_hand), "in hand, {}", case());
            assert_eq!(is.queued, address.queued(), "queued, {}", case());
            // Of those that are handled at most once, whatever was begun is handled, in hand, or lost.
            let lost = read(&counted.begun_once) - read(&counted.handled_once) - read(&counted.in_hand_once);
            assert_eq!(is.crashed, lost, "crashed, {}", case());
            let surely = read(&offers.refused);
            let perhaps = read(&offers.unsure) + read(&offers.stopped) + self.turned_away(subject);
            assert!((surely..=surely + perhaps).contains(&is.refused), "refused, {}", case());
            assert!(is.purged >= read(&offers.purged), "purged, {}", case());
            assert!(is.dropped >= read(&offers.dropped), "dropped, {}", case());
            assert!(is.quarantined >= read(&offers.poisoned), "poisoned, {}", case());
            assert!(is.crashed >= read(&offers.crashed), "crashed, {}", case());
            assert!(is.stopped + is.refused >= read(&offers.stopped), "stopped, {}", case());
        }
        // The letters kept and those evicted are as many as the statistics count.
        let sum = |count: fn(&Statistics) -> u64| -> u64 {
            self.subjects.iter().map(|subject| count(&subject.address.statistics())).sum()
        };
        let counts: [(Cause, u64); 5] = [
            (Cause::Crashed, sum(|is| is.crashed)),
            (Cause::Purged, sum(|is| is.purged)),
            (Cause::Dropped, sum(|is| is.dropped)),
            (Cause::Expired, sum(|is| is.expired)),
            (Cause::Stopped, sum(|is| is.stopped)),
        ];
        for (cause, count) in counts {
            let kept = letters.of_cause(cause).len() as u64 + letters.evicted(cause);
            assert!(kept <= count, "{cause:?}: {kept} letters of {count}");
        }
    }

    fn turned_away(&self, subject: &Subject) -> u64 {
        // Aborted senders were refused, and could not say so.
        read(&subject.offers.offered) - read(&subject.offers.refused)
    }

    async fn end(mut self) {
        pass(SECOND).await;
        self.check().await;
        if !self.root.address().is_alive() {
            self.reach.borrow_mut().saw("given up", 1);
        }
        let report = self.system.shutdown(10 * SECOND).await;
        assert_eq!(report.left, 0, "{report:?}");
        soon(self.root.ended()).await;
        pass(SECOND).await;
        self.check().await;
        self.note_all();
        self.system.dead_letters().clear();
        self.subjects.clear();
        turns().await;
        let left = self.lives.iter().filter(|life| life.strong_count() > 0).count();
        assert_eq!(left, 0, "messages that nobody holds and that were never dropped");
    }

    /// What became of everything, at the very end.
    fn note_all(&self) {
        let mut reach = self.reach.borrow_mut();
        for Subject { address, counted, .. } in &self.subjects {
            let is = address.statistics();
            assert_eq!((is.queued, is.in_hand, is.waiting), (0, 0, 0), "{}: {is:?}", address.path());
            let counts = [
                ("offered", is.offered),
                ("refused", is.refused),
                ("handled", is.handled),
                ("skipped", is.skipped),
                ("quarantined", is.quarantined),
                ("crashed", is.crashed),
                ("purged", is.purged),
                ("dropped", is.dropped),
                ("expired", is.expired),
                ("stopped", is.stopped),
                ("epochs", is.epoch),
                ("redelivered", read(&counted.again)),
                ("postponed", read(&counted.postponed)),
            ];
            for (what, many) in counts {
                reach.saw(what, many);
            }
        }
    }
}

async fn run(seed: u64, reach: Rc<RefCell<Reach>>) {
    let mut run = Run::begin(seed, reach).await;
    for _ in 0..STEPS {
        run.step().await;
    }
    run.end().await;
}

#[test]
fn whatever_happens_every_message_is_accounted_for() {
    let reach = Rc::new(RefCell::new(Reach::default()));
    let seeds = match std::env::var("MINDER_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..RUNS,
    };
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime of one thread");
        let it_runs = std::panic::AssertUnwindSafe(|| runtime.block_on(run(seed, reach.clone())));
        if let Err(panic) = std::panic::catch_unwind(it_runs) {
            eprintln!("seed {seed}: run this test again with MINDER_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
    let reach = &reach.borrow().0;
    println!("{RUNS} runs: {reach:?}");
    if std::env::var_os("MINDER_SEED").is_none() {
        let unseen = SEEN.iter().filter(|what| reach.get(*what).is_none_or(|many| *many < 20));
        assert_eq!(unseen.collect::<Vec<_>>(), [&""; 0], "the runs have lost their reach");
    }
}
