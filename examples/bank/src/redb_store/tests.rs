//! The store's promises: what is committed is there after a reopen, an id is decided once, stale books are refused,
//! and a directory that is not a bank is recognised. The audit's tests play whole workloads on it.

use std::fs;

use redb::TableDefinition;

use super::*;
use crate::accounts::AccountId;
use crate::books::Books;
use crate::outcomes::{Answer, Outcome, Refusal};
use crate::transfers::{Transfer, TransferId};

const BANK: BankConfig = BankConfig { accounts: 300, partitions: 2, opening: 100, limit: 50 };
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

fn transfer(id: u128, from: u32, to: u32, cents: u64) -> Transfer {
    Transfer { id: TransferId(id), from: AccountId(from), to: AccountId(to), cents }
}

/// The work of a ledger that has just been started.
fn fresh(store: &RedbStore, partition: u16, transfers: Vec<Transfer>) -> Work {
    let books = Books::new(store.accounts(partition).expect("readable")).touched_by(&transfers);
    Work { partition, transfers, books }
}

fn commit(store: &mut RedbStore, work: Work) -> Done {
    store.commit(&[work]).expect("the disk is fine").remove(0).expect("the work is fine")
}

fn balances(store: &RedbStore, ids: &[u32]) -> Vec<i64> {
    let partition = |id: u32| store.accounts(AccountId(id).partition(2)).expect("readable");
    let of = |id| partition(id).iter().find(|account| account.id.0 == id).map(|account| account.balance);
    ids.iter().map(|&id| of(id).expect("it exists")).collect()
}

#[test]
fn a_commit_survives_and_an_id_is_decided_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut store = RedbStore::create(dir.path(), BANK).expect("an empty directory");
    let applied = |seq| Answer::Outcome(Outcome::Applied { seq });
    let refused = |reason, seq| Answer::Outcome(Outcome::Refused { reason, seq });
    let first = vec![
        transfer(10, 0, 298, 100),
        transfer(11, 0, 2, 1),
        transfer(10, 0, 298, 100),
        transfer(10, 0, 298, 99),
        transfer(12, 0, 301, 1),
        transfer(9, 298, 0, 7),
        transfer(13, 0, 400, 1),
    ];
    let work = fresh(&store, 0, first.clone());
    let done = commit(&mut store, work);
    let answers = [
        applied(1),
        refused(Refusal::Overdraft, 2),
        applied(1),
        Answer::Conflict,
        refused(Refusal::OtherPartition, 3),
        applied(4),
        refused(Refusal::UnknownAccount, 5),
    ];
    assert_eq!(done.answers, answers);
    assert_eq!(
        done.books.iter().map(|a| (a.id.0, a.balance)).collect::<Vec<_>>(),
        [(0, 7), (2, 100), (298, 193)]
    );

    drop(store);
    let mut store = RedbStore::open(dir.path()).expect("a bank");
    assert_eq!(store.config(), &BANK);
    assert_eq!(balances(&store, &[0, 2, 298, 299]), [7, 100, 193, 100]);
    // The refusal stands, though there is money for it now.
    let work = fresh(&store, 0, first);
    assert_eq!(commit(&mut store, work).answers, answers);
    assert_eq!(balances(&store, &[0, 2, 298]), [7, 100, 193]);
    // Numbers go on without a gap, each partition has its own, and an id is one bank's, not one partition's.
    let work = fresh(&store, 1, vec![transfer(14, 3, 1, 150), transfer(10, 1, 3, 100)]);
    assert_eq!(commit(&mut store, work).answers, [applied(1), Answer::Conflict]);
    let work = fresh(&store, 0, vec![transfer(15, 2, 0, 1)]);
    assert_eq!(commit(&mut store, work).answers, [applied(6)]);
}

#[test]
fn two_ledgers_in_one_commit() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut store = RedbStore::create(dir.path(), BANK).expect("an empty directory");
    let one = fresh(&store, 0, vec![transfer(1, 0, 2, 10)]);
    let other = fresh(&store, 1, vec![transfer(2, 1, 3, 20), transfer(1, 0, 2, 10)]);
    let done = store.commit(&[one, other]).expect("the disk is fine");
    assert!(done[0].is_ok());
    let misrouted = WorkError::Misrouted { transfer: TransferId(1), from: AccountId(0), partition: 1 };
    assert_eq!(done[1], Err(misrouted));
    assert_eq!(balances(&store, &[0, 2, 1, 3]), [90, 110, 100, 100]);
}

#[test]
fn stale_books_are_refused_and_leave_nothing_behind() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut store = RedbStore::create(dir.path(), BANK).expect("an empty directory");
    let stale = fresh(&store, 0, vec![transfer(2, 0, 2, 10), transfer(3, 4, 6, 1)]);
    let missing = Work { books: stale.books[1..].to_vec(), ..stale.clone() };
    let invented = Work { books: vec![BANK.opened(AccountId(600))], transfers: vec![], partition: 0 };
    let work = fresh(&store, 0, vec![transfer(1, 6, 8, 10)]);
    commit(&mut store, work);
    let other = fresh(&store, 1, vec![transfer(4, 1, 3, 5)]);
    let done = store.commit(&[stale, missing, invented, other]).expect("the disk is fine");
    let error =
        |account, held, stored| Err(WorkError::StaleBooks { account: AccountId(account), held, stored });
    assert_eq!(done[0], error(6, Some(100), Some(90)));
    assert_eq!(done[1], error(0, None, Some(100)));
    assert_eq!(done[2], error(600, Some(100), None));
    assert!(done[3].is_ok(), "the others are not hindered");
    assert_eq!(balances(&store, &[0, 2, 4, 6, 1, 3]), [100, 100, 100, 90, 95, 105]);
    // Its ids were not used up.
    let work = fresh(&store, 0, vec![transfer(2, 0, 2, 11)]);
    assert_eq!(commit(&mut store, work).answers, [Answer::Outcome(Outcome::Applied { seq: 2 })]);
}

#[test]
fn a_dropped_batch_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = RedbStore::create(dir.path(), BANK).expect("an empty directory");
    let work = fresh(&store, 0, vec![transfer(1, 0, 2, 10)]);
    let batch = store.begin().expect("no other commit");
    assert!(batch.fill(|rows| decide_work(rows, &work)).expect("readable").is_ok());
    let known = batch.fill(|rows| rows.stored(TransferId(1))).expect("readable");
    assert!(known.is_some(), "a second filling sees the first");
    drop(batch);
    let batch = store.begin().expect("no other commit");
    assert_eq!(batch.fill(|rows| rows.stored(TransferId(1))), Ok(None));
    drop(batch);
    assert_eq!(balances(&store, &[0, 2]), [100, 100]);
}

#[test]
fn other_directories_are_refused_clearly() {
    type Make = fn(&Path);
    fn database(dir: &Path) -> redb::Database {
        redb::Database::create(dir.join(DATABASE_FILE)).expect("an empty directory")
    }
    fn set(dir: &Path, key: &str, value: &[u8]) {
        drop(RedbStore::create(dir, BANK).expect("an empty directory"));
        let writing = database(dir).begin_write().expect("no other commit");
        writing.open_table(META).expect("a table").insert(key, value).expect("writable");
        writing.commit().expect("the disk is fine");
    }
    let rows: &[(&str, Make, &str)] = &[
        ("empty", |_| {}, "is not a bank: it has no file bank.redb"),
        (
            "no directory",
            |dir| fs::remove_dir(dir).expect("empty"),
            "is not a bank: it has no file bank.redb",
        ),
        (
            "empty file",
            |dir| fs::write(dir.join(DATABASE_FILE), "").expect("writable"),
            "is empty or no file",
        ),
        ("a directory in its place", |dir| fs::create_dir(dir.join(DATABASE_FILE)).expect("new"), "no file"),
        (
            "text",
            |dir| fs::write(dir.join(DATABASE_FILE), "hello\n".repeat(9999)).expect("new"),
            "no redb database",
        ),
        ("an empty database", |dir| drop(database(dir)), "its database has no head"),
        ("somebody else's magic", |dir| set(dir, "magic", b"other"), "its database is somebody else's"),
        (
            "another version",
            |dir| set(dir, "version", &2_u32.to_le_bytes()),
            "is of version 2, this program reads version 1",
        ),
        ("no version", |dir| set(dir, "version", b""), "names no version"),
        ("a rotten shape", |dir| set(dir, "shape", b"?"), "the shape of the bank is damaged"),
    ];
    for (name, make, says) in rows {
        let dir = tempfile::tempdir().expect("a temporary directory");
        make(dir.path());
        let error = RedbStore::open(dir.path()).expect_err(name).to_string();
        assert!(error.contains(says), "{name}: {error}");
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = RedbStore::create(dir.path(), BANK).expect("an empty directory");
    assert!(matches!(RedbStore::open(dir.path()), Err(StoreError::InUse { .. })));
    assert!(matches!(RedbStore::create(dir.path(), BANK), Err(StoreError::AlreadyABank { .. })));
    drop(store);
    let shape = BankConfig { accounts: 3, ..BANK };
    assert!(matches!(RedbStore::create(&dir.path().join("b"), shape), Err(StoreError::BadShape(_))));
}
