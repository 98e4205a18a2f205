//! Checkpoints: when they are written, what a new life begins with, and what a store that fails or is slow means; then
//! random lives against a plain model.

use std::sync::{Arc, Mutex};

use minder::prelude::*;
use minder::state::{
    Checkpoints, LoadError, Memory, OnFailure, Report, SaveError, StoreError, Vault, checkpointed,
};
use minder_fault_injection::slow;
use minder_fault_injection::testkit::Kit;
use minder_fault_injection::{Kind, Plan, fault};

use crate::state_support::*;
use crate::support::SECOND;

/// A keeper of a store on this disk, and a tally under it, each restarted alone.
struct Bench {
    it: Addr<Msg>,
    checkpoints: Checkpoints<Faulty>,
    begun: Arc<Mutex<Vec<Sum>>>,
}

async fn bench(
    kit: &Kit,
    disk: &Disk,
    policy: impl FnOnce(Checkpoints<Faulty>) -> Checkpoints<Faulty>,
) -> Bench {
    let (vault, keepers_seat) = Vault::<Faulty>::new(kit.system());
    let checkpoints = policy(vault.checkpoints("it"));
    let (it, seat) = kit.address();
    let (make, begun) = tally(&checkpoints);
    let spec = one_for_one()
        .limit(1000, SECOND)
        .child(actor_in("vault", keepers_seat, vault.keeper(disk.open())))
        .child(actor_in("it", seat, checkpointed(checkpoints.clone(), make)));
    kit.start(spec).await;
    Bench { it, checkpoints, begun }
}

impl Bench {
    fn tell(&self, message: Msg) {
        self.it.tell(message).expect("there is room");
    }

    fn begun(&self) -> Vec<Sum> {
        self.begun.lock().expect("nobody panics with it").clone()
    }

    /// What was reported beside how lives began.
    fn bad_news(&self) -> Vec<Report> {
        let reports = self.checkpoints.reports().into_iter();
        reports.filter(|report| !matches!(report, Report::Began(_))).collect()
    }
}

type Policy = fn(Checkpoints<Faulty>) -> Checkpoints<Faulty>;
type Row = (&'static str, Policy, fn() -> Vec<Msg>, Sum);

const ROWS: &[Row] = &[
    ("on demand only", |all| all, || vec![Msg::Add(1), Msg::Add(2)], 0),
    ("every message", |all| all.every(1), || vec![Msg::Add(1), Msg::Add(2)], 3),
    ("every second", |all| all.every(2), || vec![Msg::Add(1), Msg::Add(2), Msg::Add(4)], 3),
    ("every is at least every message", |all| all.every(0), || vec![Msg::Add(1)], 1),
    ("asked for", |all| all, || vec![Msg::AddAndRequest(1), Msg::Add(2)], 1),
    ("asked for in a message that fails", |all| all, || vec![Msg::AddAndRequest(1), Msg::AddAndPanic(2)], 1),
    ("waited for", |all| all, || vec![Msg::AddAndSave(5, Reply::nobody()), Msg::Add(2)], 5),
    (
        "asked for between two that are due",
        |all| all.every(3),
        || vec![Msg::Add(1), Msg::AddAndRequest(2), Msg::Add(4), Msg::Add(8), Msg::Add(16)],
        31,
    ),
    (
        "not at an end of a sort that is not orderly",
        |all| all.at_stop(),
        || vec![Msg::Add(1), Msg::Stop(ExitReason::other("x"))],
        0,
    ),
    ("at an orderly end", |all| all.at_stop(), || vec![Msg::Add(1), Msg::Stop(ExitReason::Normal)], 1),
    (
        "at an orderly end, unless it is not wanted",
        |all| all.every(3),
        || vec![Msg::Add(1), Msg::Stop(ExitReason::Normal)],
        0,
    ),
    ("more on the way than are written", |all| all.every(1), || (0..10).map(Msg::Add).collect(), 45),
];

#[minder_fault_injection::test(seeds = 10)]
async fn when_they_are_written(kit: Kit) {
    for (case, policy, messages, expected) in ROWS {
        let bench = bench(&kit, &Disk::default(), policy).await;
        for message in messages() {
            bench.tell(message);
            kit.settle().await;
        }
        kit.crash(&bench.it).await;
        assert_eq!(read(&bench.it).await, *expected, "{case}");
        assert_eq!(bench.bad_news(), [], "{case}");
    }
}

#[minder_fault_injection::test(seeds = 20)]
async fn a_stop_waits_until_the_last_one_is_written(kit: Kit) {
    let disk = Disk::default();
    let first = bench(&kit, &disk, |all| all.at_stop()).await;
    first.tell(Msg::Trap);
    first.tell(Msg::Add(7));
    kit.settle().await;
    let report = kit.shutdown().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(first.bad_news(), []);
    let system = System::new().expect("inside the simulator");
    let (vault, seat) = Vault::<Faulty>::new(&system);
    system.start(seat, "vault", vault.keeper(disk.open())).await.expect("it opens");
    let checkpoints = vault.checkpoints("it");
    let (make, _) = tally(&checkpoints);
    let it = system.spawn(checkpointed(checkpoints, make)).expect("it starts");
    assert_eq!(read(&it).await, 7);
}

#[minder_fault_injection::test(seeds = 20)]
async fn an_answer_that_waits_for_it_says_its_number(kit: Kit) {
    let bench = bench(&kit, &Disk::default(), |all| all).await;
    for number in 1..4 {
        let saved = bench.it.ask(|reply| Msg::AddAndSave(10, reply)).await.expect("it answers");
        assert_eq!((saved, bench.checkpoints.last()), (Ok(number), Some(number)));
        kit.kill(&bench.it).await;
        assert_eq!(read(&bench.it).await, 10 * number);
    }
}

// --- the ladder ----------------------------------------------------------------------------------------------------

#[minder_fault_injection::test(seeds = 20)]
async fn a_damaged_one_is_told_and_never_served(kit: Kit) {
    let disk = Disk::default();
    let bench = bench(&kit, &disk, |all| all.every(1)).await;
    for n in [1, 2, 4] {
        bench.tell(Msg::Add(n));
        kit.settle().await;
    }
    disk.damage(3);
    kit.crash(&bench.it).await;
    disk.damage(2);
    kit.crash(&bench.it).await;
    assert_eq!(bench.begun(), [0, 3, 0]);
    let why = "another actor keeps its checkpoints as `it`, too".to_owned();
    let damaged = |number| Report::Damaged(Some(number), why.clone());
    assert_eq!(bench.bad_news(), [damaged(3), damaged(3), damaged(2)]);
}

#[minder_fault_injection::test(seeds = 20)]
async fn a_refused_one_is_no_crash(kit: Kit) {
    let bench = bench(&kit, &Disk::default(), |all| all.every(1)).await;
    for n in [6, 7] {
        bench.tell(Msg::Add(n));
        kit.settle().await;
    }
    kit.crash(&bench.it).await;
    assert_eq!((bench.begun(), kit.generation(&bench.it)), (vec![0, 6], 2));
    assert_eq!(bench.bad_news(), [Report::Refused(2, "unlucky".into())]);
}

#[minder_fault_injection::test(seeds = 20)]
async fn one_whose_lives_die_young_is_demoted_for_good(kit: Kit) {
    let disk = Disk::default();
    let bench = bench(&kit, &disk, |all| all.every(1)).await;
    for n in [50, 49] {
        bench.tell(Msg::Add(n));
        kit.settle().await;
    }
    for _ in 0..3 {
        bench.tell(Msg::Add(1)); // crashes the life that is poisoned, and the two that are restored from it
        kit.settle().await;
    }
    assert_eq!(bench.begun(), [0, 99, 99, 50]);
    assert_eq!(bench.bad_news(), [Report::Demoted(2)]);
    kit.crash(&bench.it).await;
    kit.crash(&bench.it).await;
    assert_eq!(bench.begun(), [0, 99, 99, 50, 50, 0], "the previous one has its two tries as well");

    // Another program, that knows only what is on the disk.
    kit.shutdown().await;
    let system = System::new().expect("inside the simulator");
    let (vault, seat) = Vault::<Faulty>::new(&system);
    system.start(seat, "vault", vault.keeper(disk.open())).await.expect("it opens");
    let checkpoints = vault.checkpoints("it");
    let (make, _) = tally(&checkpoints);
    let it = system.spawn(checkpointed(checkpoints, make)).expect("it starts");
    assert_eq!(read(&it).await, 0, "demoted is demoted");
}

#[minder_fault_injection::test(seeds = 20)]
async fn deaths_count_over_an_end_of_the_supervisor(kit: Kit) {
    let (vault, keepers_seat) = Vault::<Memory>::new(kit.system());
    let checkpoints = vault.checkpoints("it").every(1);
    let (make, begun) = tally(&checkpoints);
    let (it, seat) = kit.address();
    // No restart is tolerated: each death ends the supervisor, and the next life is under another one.
    let below = one_for_one().limit(0, SECOND).child(actor_in("it", seat, checkpointed(checkpoints, make)));
    let spec = one_for_one().limit(100, SECOND);
    let spec = spec.child(actor_in("vault", keepers_seat, vault.keeper(Memory::open)));
    kit.start(spec.child(tree("below", below))).await;
    it.tell(Msg::Add(99)).expect("there is room");
    kit.settle().await;
    for _ in 0..3 {
        kit.crash(&it).await;
    }
    assert_eq!(*begun.lock().expect("nobody panics with it"), [0, 99, 99, 0]);
}

#[minder_fault_injection::test(seeds = 20)]
async fn a_good_message_excuses_a_death_on_the_disk_too(kit: Kit) {
    let disk = Disk::default();
    let bench = bench(&kit, &disk, |all| all).await;
    bench.tell(Msg::AddAndRequest(5));
    kit.settle().await;
    for _ in 0..4 {
        kit.crash(&bench.it).await;
        kit.crash(&bench.it).await;
        assert_eq!(read(&bench.it).await, 5);
        kit.settle().await;
    }
    assert_eq!(bench.bad_news(), []);
}

/// A group's restart ends what only the seats keep; a checkpoint is in its store.
#[minder_fault_injection::test(seeds = 10)]
async fn memory_lives_as_long_as_its_keeper(kit: Kit) {
    let (vault, keepers_seat) = Vault::<Memory>::new(kit.system());
    let checkpoints = vault.checkpoints("it").every(1);
    let (make, begun) = tally(&checkpoints);
    let (it, seat) = kit.address();
    let spec = rest_for_one()
        .limit(100, SECOND)
        .child(actor_in("vault", keepers_seat, vault.keeper(Memory::open)))
        .child(actor_in("it", seat, checkpointed(checkpoints, make)));
    kit.start(spec).await;
    it.tell(Msg::Add(3)).expect("there is room");
    kit.settle().await;
    kit.crash(&it).await;
    assert_eq!(*begun.lock().expect("nobody panics with it"), [0, 3], "with those after it");
    kit.crash("vault").await;
    assert_eq!(
        *begun.lock().expect("nobody panics with it"),
        [0, 3, 0],
        "with its keeper, which has forgotten"
    );
}

// --- stores that fail ----------------------------------------------------------------------------------------------

#[minder_fault_injection::test(seeds = 10)]
async fn a_failing_store_does_not_take_the_actor_down(kit: Kit) {
    let disk = Disk::default();
    let bench = bench(&kit, &disk, |all| all.every(1)).await;
    bench.tell(Msg::Add(1));
    kit.settle().await;
    disk.fails(true);
    bench.tell(Msg::Add(2));
    kit.settle().await;
    assert_eq!(read(&bench.it).await, 3);
    let failure = StoreError::Failed { doing: "a test", why: "on purpose".into() };
    assert_eq!(bench.bad_news()[0], Report::SaveFailed(SaveError::Store(failure.clone())));
    // It begins clean if it must; and does not write over what it could not read.
    kit.crash(&bench.it).await;
    disk.fails(false);
    bench.tell(Msg::Add(4));
    kit.settle().await;
    assert_eq!(read(&bench.it).await, 4);
    let saved = bench.it.ask(|reply| Msg::AddAndSave(8, reply)).await.expect("it answers");
    assert_eq!(saved, Err(SaveError::Unread.to_string()));
    assert!(bench.bad_news().contains(&Report::LoadFailed(LoadError::Store(failure))));
    kit.crash(&bench.it).await;
    assert_eq!((bench.begun(), kit.generation("vault")), (vec![0, 0, 1], 1), "the keeper lives on, too");
}

#[minder_fault_injection::test(seeds = 10)]
async fn unless_the_user_says_so(kit: Kit) {
    let disk = Disk::default();
    let bench = bench(&kit, &disk, |all| all.every(1).on_failure(OnFailure::Crash)).await;
    bench.tell(Msg::Add(1));
    kit.settle().await;
    disk.fails(true);
    bench.tell(Msg::Add(2));
    kit.settle().await;
    assert_eq!(kit.generation(&bench.it), 1, "nobody waits for it");
    disk.fails(false);
    bench.tell(Msg::Add(4));
    kit.settle().await;
    assert_eq!(
        (kit.generation(&bench.it), bench.begun()),
        (2, vec![0, 1]),
        "it is seen with the next message"
    );
    assert!(kit.exits_of(&bench.it)[0].to_string().contains("on purpose"));

    disk.fails(true);
    kit.crash(&bench.it).await;
    assert_eq!(kit.exits_of("app").len(), 1, "no start works, and the tree gives up in the end");
}

#[minder_fault_injection::test(seeds = 10)]
async fn a_slow_store_gets_fewer(kit: Kit) {
    let disk = Disk::default();
    let injector = kit.inject(Plan::seeded(1).with(slow(SECOND).on("app/vault").chance(1.0).after(SECOND)));
    let bench = bench(&kit, &disk, |all| all.every(1)).await;
    kit.advance(2 * SECOND).await;
    let before = disk.calls();
    for _ in 0..100 {
        bench.tell(Msg::Add(2));
        kit.settle().await;
    }
    assert_eq!((kit.now(), disk.calls()), (2 * SECOND, before), "nobody has waited");
    injector.disarm();
    kit.advance(3 * SECOND).await;
    bench.tell(Msg::Add(1));
    kit.settle().await;
    assert_eq!(disk.calls() - before, 2, "the first, and what was due by the time it was written");
    kit.crash(&bench.it).await;
    assert_eq!(read(&bench.it).await, 201);
    assert_eq!(bench.bad_news(), []);
}

/// Nobody lives in the keeper's seat: what is sent there waits.
#[minder_fault_injection::test]
async fn a_store_that_does_not_answer_is_given_up_in_time(kit: Kit) {
    let (vault, _seat) = Vault::<Memory>::new(kit.system());
    let checkpoints = vault.checkpoints("it").every(1);
    let (make, _) = tally(&checkpoints);
    let it = kit.supervise("it", checkpointed(checkpoints.clone(), make)).await;
    assert_eq!(checkpoints.reports(), [Report::LoadFailed(LoadError::TimedOut), Report::Began(None)]);
    assert_eq!(kit.now().as_secs(), 2);
    it.tell(Msg::Add(1)).expect("there is room");
    assert_eq!(read(&it).await, 1);
}

#[minder_fault_injection::test]
async fn one_that_stops_answering_is_told(kit: Kit) {
    let (vault, seat) = Vault::<Memory>::new(kit.system());
    kit.system().start(seat.clone(), "vault", vault.keeper(Memory::open)).await.expect("it starts");
    let checkpoints = vault.checkpoints("it").every(1);
    let (make, _) = tally(&checkpoints);
    let it = kit.supervise("it", checkpointed(checkpoints.clone(), make)).await;
    kit.kill("vault").await; // and nobody restarts it
    it.tell(Msg::Add(1)).expect("there is room");
    kit.settle().await;
    it.tell(Msg::Add(1)).expect("there is room");
    kit.advance(3 * SECOND).await;
    assert_eq!(checkpoints.reports(), [Report::Began(None)]);
    it.tell(Msg::Add(1)).expect("there is room");
    kit.settle().await;
    let told = [Report::Began(None), Report::SaveFailed(SaveError::TimedOut)];
    assert_eq!(checkpoints.reports(), told, "and the next one is on its way");
    drop(seat);
    kit.settle().await;
    it.tell(Msg::Add(1)).expect("there is room");
    kit.settle().await;
    let reports = checkpoints.reports();
    assert!(
        matches!(
            &reports[2..],
            [
                Report::SaveFailed(SaveError::Lost),
                Report::SaveFailed(SaveError::Lost),
                Report::SaveFailed(SaveError::Ended(_)),
                ..
            ]
        ),
        "{reports:?}"
    );
    assert_eq!(read(&it).await, 4);
}

#[minder_fault_injection::test]
async fn a_snapshot_that_does_not_fit_is_told(kit: Kit) {
    let bench = bench(&kit, &Disk::default(), |all| all.every(1)).await;
    bench.tell(Msg::Add(600));
    kit.settle().await;
    bench.tell(Msg::Add(66));
    kit.settle().await;
    kit.crash(&bench.it).await;
    assert_eq!(read(&bench.it).await, 600);
    assert_eq!(bench.bad_news(), [Report::SaveFailed(SaveError::Pack("too evil".into()))]);
}

// --- a fault at each step ------------------------------------------------------------------------------------------

/// Adds bit by bit, with a checkpoint after every second message and a crash now and then; returns what each life began
/// with. A sum says which messages are in it.
async fn campaign(kit: &Kit, bench: &Bench) {
    for bit in 0..12 {
        bench.tell(Msg::Add(1 << (bit + 8)));
        kit.settle().await;
        if bit % 5 == 4 && kit.is_alive(&bench.it) {
            kit.crash(&bench.it).await;
        }
    }
}

/// What must be true whatever has failed: lives begin with the sum of a checkpoint, which grew by messages since, and never
/// with one that is older than the previous unless something was said about it.
fn judge(case: &str, bench: &Bench, disk_is_whole: bool) {
    let begun = bench.begun();
    assert!(!begun.is_empty(), "{case}");
    for pair in begun.windows(2) {
        // Each life began with what an earlier one had, and messages that came after.
        let grown = pair[0] & !pair[1] == 0;
        let said = !bench.bad_news().is_empty();
        assert!(grown || said, "{case}: {begun:?} {:?}", bench.checkpoints.reports());
    }
    let clean = begun.iter().skip_while(|sum| **sum == 0).filter(|sum| **sum == 0).count();
    let unread = bench.bad_news().iter().filter(|report| matches!(report, Report::LoadFailed(_))).count();
    assert!(!disk_is_whole || clean <= unread, "{case}: {begun:?} {:?}", bench.checkpoints.reports());
}

#[minder_fault_injection::test]
async fn each_call_of_the_store_goes_wrong_in_each_way(kit: Kit) {
    let faults = [Fault::ErrorBefore, Fault::ErrorAfter, Fault::PanicBefore, Fault::PanicAfter];
    let mut struck = 0;
    for fault in faults {
        // The first call is the keeper's start, which fails with it: that the tree does not start is tested elsewhere.
        for call in 2..10 {
            let disk = Disk::failing(call, fault);
            let bench = bench(&kit, &disk, |all| all.every(2)).await;
            campaign(&kit, &bench).await;
            let case = format!("{fault:?} at call {call}");
            judge(&case, &bench, true);
            struck += u32::from(disk.heal() >= call);
            // Two crashes by the test, and none by the store.
            let ends = kit.exits_of(&bench.it);
            assert!(ends.iter().all(|reason| reason.to_string().contains("by the test")), "{case}: {ends:?}");
            assert_eq!(ends.len(), 2, "{case}");
            // The store works again, and so do checkpoints; if not in this life, then in the next.
            kit.crash(&bench.it).await;
            bench
                .it
                .ask(|reply| Msg::AddAndSave(1 << 30, reply))
                .await
                .expect("it answers")
                .expect("it is saved");
            kit.crash(&bench.it).await;
            assert!(read(&bench.it).await >= 1 << 30, "{case}");
        }
    }
    assert_eq!(struck, 4 * 8, "every call was reached");
}

#[minder_fault_injection::test]
async fn the_keeper_is_struck_at_each_message_and_each_step(kit: Kit) {
    let kinds =
        [Kind::Kill, Kind::PanicBefore, Kind::PanicIn, Kind::PanicAfter, Kind::Error, Kind::SupervisorStep];
    let mut struck = 0;
    for kind in kinds {
        for nth in 1..14 {
            for whom in ["vault", "it"] {
                let system = System::new().expect("inside the simulator");
                let plan = Plan::seeded(nth).with(fault(kind).on(&format!("top/{whom}")).nth(nth));
                let injector = minder_fault_injection::Injector::arm(plan, &system).expect("it makes sense");
                let disk = Disk::default();
                let (vault, keepers_seat) = Vault::<Faulty>::new(&system);
                let checkpoints = vault.checkpoints("it").every(2);
                let (it, seat) = system.address();
                let (make, begun) = tally(&checkpoints);
                let spec = one_for_one()
                    .limit(1000, SECOND)
                    .child(
                        actor_in("vault", keepers_seat, vault.keeper(disk.open()))
                            .restart(Restart::Permanent),
                    )
                    .child(actor_in("it", seat, checkpointed(checkpoints.clone(), make)));
                let root = spec.start(&system, "top").await;
                let case = format!("{kind} {nth} on {whom}");
                if root.is_err() {
                    assert!(nth <= 2 && kind == Kind::SupervisorStep, "{case}: only a start fails by this");
                    struck += 1;
                    continue;
                }
                let bench = Bench { it, checkpoints, begun };
                campaign(&kit, &bench).await;
                injector.disarm();
                struck += injector.receipts().len();
                judge(&case, &bench, true);
                kit.crash(&bench.it).await;
                bench
                    .it
                    .ask(|reply| Msg::AddAndSave(1 << 30, reply))
                    .await
                    .expect("it answers")
                    .expect("it is saved");
                assert!(system.shutdown(SECOND).await.is_clean(), "{case}");
            }
        }
    }
    assert!(struck > 80, "{struck} faults struck");
}

// --- a plain model -------------------------------------------------------------------------------------------------

/// What the actor and its checkpoints must be, kept without any of the machinery.
#[derive(Default)]
struct Model {
    sum: Sum,
    since: u32,
    /// Sum and deaths in vain, newest first.
    rungs: Vec<(Sum, u32)>,
    /// Which of them this life stands on, by its place.
    base: Option<usize>,
    unproven: bool,
}

impl Model {
    fn handled(&mut self) {
        if std::mem::take(&mut self.unproven)
            && let Some(base) = self.base
        {
            self.rungs[base].1 = 0;
        }
        self.since += 1;
        if self.since >= 3 {
            self.saved();
        }
    }

    fn saved(&mut self) {
        self.since = 0;
        let previous = self.base.map(|base| self.rungs[base]);
        self.rungs = [Some((self.sum, 0)), previous].into_iter().flatten().collect();
        self.base = Some(0);
    }

    fn died(&mut self) {
        if std::mem::take(&mut self.unproven)
            && let Some(base) = self.base
        {
            self.rungs[base].1 += 1;
        }
        self.base = self.rungs.iter().position(|rung| rung.1 < 2);
        self.unproven = self.base.is_some();
        self.sum = self.base.map_or(0, |base| self.rungs[base].0);
        self.since = 0;
    }
}

#[minder_fault_injection::test(seeds = 300)]
async fn random_lives_agree_with_a_plain_model(kit: Kit) {
    let bench = bench(&kit, &Disk::default(), |all| all.every(3)).await;
    let mut model = Model::default();
    for _ in 0..50 {
        let n = kit.random() % 10 * 100;
        match kit.random() % 9 {
            0..3 => {
                bench.tell(Msg::Add(n));
                model.sum += n;
                model.handled();
            }
            3 => {
                bench.tell(Msg::AddAndRequest(n));
                model.sum += n;
                model.handled();
                if model.since > 0 {
                    model.saved();
                }
            }
            4 => {
                bench.tell(Msg::AddAndPanic(n));
                model.died();
            }
            5 => {
                bench.tell(Msg::AddAndNap(n, SECOND));
                kit.settle().await;
                if kit.random().is_multiple_of(2) {
                    kit.kill(&bench.it).await;
                    model.died();
                } else {
                    kit.advance(2 * SECOND).await;
                    model.sum += n;
                    model.handled();
                }
            }
            6 => {
                kit.crash(&bench.it).await;
                model.died();
            }
            7 => {
                kit.crash("vault").await; // the disk outlives it
            }
            _ => {
                assert_eq!(read(&bench.it).await, model.sum, "{}", kit.story(20));
                model.handled();
            }
        }
        kit.settle().await;
    }
}
