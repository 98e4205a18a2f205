//! Checkpoints on disk: over restarts of the program, of other versions, and from files that are damaged or cut off.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use minder::prelude::*;
use minder::state::{
    Checkpoint, Checkpoints, Old, RedbStore, Refusal, Report, SaveError, Store, StoreError, Vault,
    checkpointed,
};
use minder_fault_injection::testkit::Kit;
use tempfile::TempDir;

use crate::state_support::{Msg, read, tally};
use crate::support::SECOND;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room on the disk");
    let path = folder.path().join("checkpoints.redb");
    (folder, path)
}

/// A run of a program: a system, its keeper on this file, and its actors.
struct Run {
    system: System,
    vault: Vault<RedbStore>,
}

impl Run {
    async fn of(path: &Path) -> Result<Self, ExitReason> {
        let system = System::new()?;
        let (vault, seat) = Vault::new(&system);
        let path = path.to_owned();
        system.start(seat, "vault", vault.keeper(move || RedbStore::open(&path))).await?;
        Ok(Self { system, vault })
    }

    async fn start<R, F>(&self, name: &str, make: F) -> Addr<<R::Actor as Actor>::Msg>
    where
        R: minder::IntoActor + 'static,
        F: Fn() -> R + Clone + Send + Sync + 'static,
    {
        let (it, seat) = self.system.address();
        let spec = one_for_one().limit(1000, SECOND).child(actor_in(name, seat, make));
        spec.start(&self.system, &format!("top-{name}")).await.expect("it starts");
        it
    }

    async fn end(self) {
        assert!(self.system.shutdown(10 * SECOND).await.is_clean());
    }
}

#[minder_fault_injection::test(seeds = 3)]
async fn they_outlive_the_program(kit: Kit) {
    let (_folder, path) = folder();
    for run in 0..4 {
        let it = Run::of(&path).await.expect("it opens");
        let checkpoints = it.vault.checkpoints("it").at_stop();
        let (make, begun) = tally(&checkpoints);
        let other = it.vault.checkpoints("other");
        let tally_address = it.start("it", checkpointed(checkpoints.clone(), make)).await;
        let other_address = it.start("other", checkpointed(other.clone(), tally(&other).0)).await;
        tally_address.tell(Msg::Trap).expect("there is room");
        tally_address.tell(Msg::Add(10)).expect("there is room");
        let saved = other_address.ask(|reply| Msg::AddAndSave(1, reply)).await.expect("it answers");
        assert_eq!(saved, Ok(run + 1), "numbers go on");
        kit.settle().await;
        kit.crash(&tally_address).await;
        assert_eq!(begun.lock().expect("nobody panics with it")[..], [10 * run, 10 * run], "its own crash");
        tally_address.tell(Msg::Trap).expect("there is room");
        tally_address.tell(Msg::Add(10)).expect("there is room");
        kit.settle().await;
        it.end().await;
        assert_eq!(checkpoints.last(), Some(run + 1));
    }
}

/// With a reader of its own beside the keeper's store: what is acknowledged is there.
#[minder_fault_injection::test]
async fn an_acknowledged_one_is_on_disk(_kit: Kit) {
    let (_folder, path) = folder();
    let run = Run::of(&path).await.expect("it opens");
    let checkpoints = run.vault.checkpoints("it");
    let it = run.start("it", checkpointed(checkpoints.clone(), tally(&checkpoints).0)).await;
    let saved = it.ask(|reply| Msg::AddAndSave(5, reply)).await.expect("it answers");
    assert_eq!(saved, Ok(1));
    // As a power cut would leave it.
    let copy = path.with_extension("copy");
    fs::copy(&path, &copy).expect("there is room on the disk");
    run.end().await;
    let run = Run::of(&copy).await.expect("it opens");
    let checkpoints = run.vault.checkpoints("it");
    let it = run.start("it", checkpointed(checkpoints.clone(), tally(&checkpoints).0)).await;
    assert_eq!(read(&it).await, 5);
}

#[minder_fault_injection::test]
async fn a_demotion_outlives_the_program(kit: Kit) {
    let (_folder, path) = folder();
    // 50, then 99, which is poison: one death in each of two programs, and one in each of two of the other.
    let mut begun_in_all = Vec::new();
    for crashes in [1, 3, 1] {
        let run = Run::of(&path).await.expect("it opens");
        let checkpoints = run.vault.checkpoints("it").every(1);
        let (make, begun) = tally(&checkpoints);
        let it = run.start("it", checkpointed(checkpoints.clone(), make)).await;
        if begun_in_all.is_empty() {
            for n in [50, 49] {
                it.tell(Msg::Add(n)).expect("there is room");
                kit.settle().await;
            }
        }
        for _ in 0..crashes {
            kit.crash(&it).await;
        }
        run.end().await;
        begun_in_all.push(begun.lock().expect("nobody panics with it").clone());
    }
    // First program: restored once, alive at its end. Second: its first life and the next die, then the other one, once.
    assert_eq!(begun_in_all, [vec![0, 99], vec![99, 99, 50, 50], vec![50, 0]]);
}

// --- versions ------------------------------------------------------------------------------------------------------

/// Counts in cents, and in an earlier version in euros.
struct Account<const VERSION: u16> {
    cents: i64,
    checkpoints: Checkpoints<RedbStore>,
}

enum Order {
    Pay(i64),
    Cents(Reply<i64>),
}

impl<const VERSION: u16> Actor for Account<VERSION> {
    type Msg = Order;

    async fn handle(&mut self, order: Order, _: &mut Context<Order>) -> Handled {
        match order {
            Order::Pay(cents) => {
                self.cents += cents;
                self.checkpoints.request();
            }
            Order::Cents(reply) => drop(reply.send(self.cents)),
        }
        Ok(())
    }
}

impl Checkpoint for Account<1> {
    type Snapshot = i32;
    fn snapshot(&self) -> i32 {
        i32::try_from(self.cents / 100).expect("small")
    }
    fn restore(&mut self, euros: i32) -> Result<(), Refusal> {
        self.cents = 100 * i64::from(euros);
        Ok(())
    }
}

impl Checkpoint for Account<2> {
    type Snapshot = (String, i64);
    const VERSION: u16 = 2;
    fn snapshot(&self) -> (String, i64) {
        ("cents".into(), self.cents)
    }
    fn restore(&mut self, (_, cents): (String, i64)) -> Result<(), Refusal> {
        self.cents = cents;
        Ok(())
    }
    fn migrate(old: Old) -> Result<(String, i64), Refusal> {
        match old.version() {
            1 => Ok(("cents".into(), 100 * i64::from(old.read::<i32>()?))),
            version => Err(Refusal::new(format!("version {version} is not known"))),
        }
    }
}

async fn account<const VERSION: u16>(run: &Run) -> (Addr<Order>, Checkpoints<RedbStore>)
where
    Account<VERSION>: Checkpoint<Msg = Order, Snapshot: serde::Serialize + serde::de::DeserializeOwned>,
{
    let checkpoints = run.vault.checkpoints("account");
    let its = checkpoints.clone();
    let make = move || Account::<VERSION> { cents: 0, checkpoints: its.clone() };
    (run.start("account", checkpointed(checkpoints.clone(), make)).await, checkpoints)
}

async fn cents(it: &Addr<Order>) -> i64 {
    it.ask(Order::Cents).await.expect("it answers")
}

#[minder_fault_injection::test]
async fn an_old_version_is_migrated_and_a_newer_one_refused(kit: Kit) {
    let (_folder, path) = folder();
    let run = Run::of(&path).await.expect("it opens");
    let (it, _) = account::<1>(&run).await;
    it.tell(Order::Pay(700)).expect("there is room");
    kit.settle().await;
    run.end().await;

    let run = Run::of(&path).await.expect("it opens");
    let (it, checkpoints) = account::<2>(&run).await;
    assert_eq!(cents(&it).await, 700, "migrated");
    assert_eq!(checkpoints.reports(), [Report::Began(Some(1))]);
    it.tell(Order::Pay(5)).expect("there is room");
    kit.settle().await;
    run.end().await;

    // Set back to the earlier program: it takes what it knows, and says what it does not.
    let run = Run::of(&path).await.expect("it opens");
    let (it, checkpoints) = account::<1>(&run).await;
    assert_eq!(cents(&it).await, 700);
    let why = "it is of version 2, and this program reads 1".to_owned();
    assert_eq!(checkpoints.reports(), [Report::Refused(2, why), Report::Began(Some(1))]);
    run.end().await;

    // It wrote nothing, so the newer program finds what it has left.
    let run = Run::of(&path).await.expect("it opens");
    let (it, _) = account::<2>(&run).await;
    assert_eq!(cents(&it).await, 705);
    run.end().await;
}

// --- damage --------------------------------------------------------------------------------------------------------

/// A state that fills some pages: a letter, many times.
struct Pages {
    text: Arc<Mutex<String>>,
    checkpoints: Checkpoints<RedbStore>,
}

impl Actor for Pages {
    type Msg = (char, Reply<Result<u64, SaveError>>);

    async fn handle(&mut self, (letter, reply): Self::Msg, _: &mut Context<Self::Msg>) -> Handled {
        *self.text.lock().expect("nobody panics with it") = letter.to_string().repeat(10_000);
        let saving = self.checkpoints.clone().save(self);
        drop(reply.send(saving.await));
        Ok(())
    }
}

impl Checkpoint for Pages {
    type Snapshot = String;
    fn snapshot(&self) -> String {
        self.text.lock().expect("nobody panics with it").clone()
    }
    fn restore(&mut self, text: String) -> Result<(), Refusal> {
        *self.text.lock().expect("nobody panics with it") = text;
        Ok(())
    }
}

/// The actor of a run, and what it was restored with.
async fn pages(run: &Run) -> (Addr<<Pages as Actor>::Msg>, String, Vec<Report>) {
    let checkpoints = run.vault.checkpoints("pages");
    let (text, its) = (Arc::<Mutex<String>>::default(), checkpoints.clone());
    let shared = text.clone();
    let make = move || Pages { text: shared.clone(), checkpoints: its.clone() };
    let it = run.start("pages", checkpointed(checkpoints.clone(), make)).await;
    let text = text.lock().expect("nobody panics with it").clone();
    (it, text, checkpoints.reports())
}

/// A file with three checkpoints written, of which two are there.
async fn written(path: &Path) -> Vec<u8> {
    let run = Run::of(path).await.expect("it opens");
    let (it, ..) = pages(&run).await;
    for letter in ['a', 'b', 'c'] {
        let saved = it.ask(|reply| (letter, reply)).await.expect("it answers");
        saved.expect("it is saved");
    }
    run.end().await;
    fs::read(path).expect("it is there")
}

/// Whatever was done to the file: what is restored is a checkpoint as it was written, or nothing, and then that was said;
/// or the store does not open, and says why. Returns what was seen.
async fn reopened(path: &Path, case: &str) -> &'static str {
    let run = match Run::of(path).await {
        Ok(run) => run,
        Err(reason) => {
            assert!(!reason.to_string().is_empty(), "{case}");
            return "refused";
        }
    };
    let (_, text, reports) = pages(&run).await;
    let is_bad = |report: &Report| matches!(report, Report::Damaged(..) | Report::LoadFailed(_));
    let said = reports.iter().any(is_bad);
    let letter = text.chars().next();
    let whole = letter.is_none_or(|letter| text == letter.to_string().repeat(10_000));
    assert!(whole, "{case}: a damaged checkpoint was served");
    let seen = match letter {
        Some('c') => "newest",
        Some('b') if said => "previous",
        None if said => "clean",
        // redb falls back to the commit before the last if the end of the last is damaged: an older state, and whole.
        Some('a' | 'b') => "earlier commit",
        _ => panic!("{case}: {letter:?} {reports:?}"),
    };
    run.end().await;
    seen
}

#[minder_fault_injection::test]
async fn files_that_are_cut_off_are_never_served_from(_kit: Kit) {
    let (folder, path) = folder();
    let bytes = written(&path).await;
    let cut = folder.path().join("cut.redb");
    let mut seen = Vec::new();
    for sixteenth in 0..16 {
        fs::write(&cut, &bytes[..bytes.len() * sixteenth / 16]).expect("there is room on the disk");
        seen.push(reopened(&cut, &format!("{sixteenth} sixteenths")).await);
    }
    assert_eq!(seen[0], "refused", "an empty file is no new store");
    fs::write(&cut, &bytes).expect("there is room on the disk");
    assert_eq!(reopened(&cut, "all of it").await, "newest");
}

#[minder_fault_injection::test]
async fn damaged_bytes_are_told_and_never_served(kit: Kit) {
    let (folder, path) = folder();
    let bytes = written(&path).await;
    let rotten = folder.path().join("rotten.redb");
    let mut seen = Vec::new();
    // In the text of each checkpoint, wherever the file has it.
    for (letter, expected) in [(b'c', "previous"), (b'b', "newest"), (b'a', "newest")] {
        let mut damaged = bytes.clone();
        for window in (0..bytes.len().saturating_sub(64)).step_by(64) {
            if bytes[window..window + 64].iter().all(|byte| *byte == letter) {
                damaged[window] ^= 1;
            }
        }
        fs::write(&rotten, &damaged).expect("there is room on the disk");
        assert_eq!(reopened(&rotten, "in a text").await, expected, "{}", char::from(letter));
    }
    // In the text of both.
    let both = |byte: u8| if matches!(byte, b'b' | b'c') { byte ^ 4 } else { byte };
    fs::write(&rotten, bytes.iter().map(|byte| both(*byte)).collect::<Vec<u8>>()).expect("there is room");
    seen.push(reopened(&rotten, "everywhere").await);
    // Anywhere.
    for _ in 0..60 {
        let at = usize::try_from(kit.random()).expect("64 bits") % bytes.len();
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (kit.random() % 8);
        fs::write(&rotten, &damaged).expect("there is room on the disk");
        seen.push(reopened(&rotten, &format!("at byte {at}")).await);
    }
    assert!(seen.contains(&"newest"), "{seen:?}");
}

#[minder_fault_injection::test]
async fn what_is_no_store_is_left_alone(_kit: Kit) {
    let (folder, path) = folder();
    let open = |path: &Path| RedbStore::open(path).map(drop);
    fs::write(&path, b"a letter to somebody, and no database at all").expect("there is room on the disk");
    let refused = open(&path);
    assert!(
        matches!(&refused, Err(StoreError::Damaged { why, .. }) if why.contains("no redb")),
        "{refused:?}"
    );
    assert!(fs::read(&path).expect("it is there").starts_with(b"a letter"));
    let nowhere = open(&folder.path().join("no").join("such").join("folder.redb"));
    assert!(matches!(nowhere, Err(StoreError::Failed { .. })), "{nowhere:?}");
    fs::remove_file(&path).expect("it is there");
    open(&path).expect("made");
    let first = RedbStore::open(&path).expect("opened");
    let second = open(&path);
    assert!(matches!(&second, Err(StoreError::Failed { .. })), "{second:?}");
    drop(first);
    let mut again = RedbStore::open(&path).expect("free again");
    assert_eq!(again.load("nobody").expect("it reads").ladder.rungs().count(), 0);
}
