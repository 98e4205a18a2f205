//! A good run is green; each kind of damage, to the database or to the history, turns the audit red. One row each.
//! The damage is done through the store's own rows or, where those refuse, with redb's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use redb::{ReadableTable, TableDefinition};

use super::*;
use crate::accounts::AccountId;
use crate::books::Books;
use crate::config::BankConfig;
use crate::history::{Entry, HISTORY_FILE, HistoryWriter};
use crate::outcomes::{Answer, Outcome, Refusal};
use crate::redb_store::{DATABASE_FILE, RedbStore, Rows, Stored};
use crate::store::{Store, StoreError, Work};
use crate::transfers::{Transfer, TransferId};
use crate::workload::Workload;

const BANK: BankConfig = BankConfig { accounts: 140, partitions: 2, opening: 10_000, limit: 500 };
const TRANSFERS: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("transfers");
const OPENINGS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("openings");
const BALANCES: TableDefinition<'_, (u16, u32), &[u8]> = TableDefinition::new("balances");

/// Runs a workload on a new bank as ledgers would, and writes the history that its clients would write.
fn run(dir: &Path, count: u64) {
    let mut store = RedbStore::create(dir, BANK).expect("an empty directory");
    let mut ledgers: Vec<Books> =
        (0..BANK.partitions).map(|p| Books::new(store.accounts(p).expect("just created"))).collect();
    let mut history = HistoryWriter::create(&dir.join(HISTORY_FILE)).expect("writable");
    let workload = Workload::new(3, count, 1, &BANK).expect("the shape is fine");
    let items: Vec<Transfer> = workload.client(0).map(|item| item.transfer).collect();
    for chunk in items.chunks(50) {
        let works: Vec<Work> = (0..BANK.partitions)
            .map(|partition| {
                let ours = |t: &&Transfer| t.from.partition(BANK.partitions) == partition;
                let transfers: Vec<Transfer> = chunk.iter().filter(ours).copied().collect();
                let books = ledgers[usize::from(partition)].touched_by(&transfers);
                Work { partition, transfers, books }
            })
            .collect();
        let done = store.commit(&works).expect("the disk is fine");
        for (work, done) in works.iter().zip(done) {
            let done = done.expect("the books are fresh");
            done.books.into_iter().for_each(|account| ledgers[usize::from(work.partition)].put(account));
            for (transfer, answer) in work.transfers.iter().zip(done.answers) {
                history.record(transfer, &answer).expect("writable");
            }
        }
    }
    history.finish().expect("writable");
}

/// A copy of a good run, to be damaged.
struct Copy {
    dir: tempfile::TempDir,
}

impl Copy {
    fn of(good: &Path) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for name in [DATABASE_FILE, HISTORY_FILE] {
            fs::copy(good.join(name), dir.path().join(name)).expect("copied");
        }
        Self { dir }
    }

    fn entries(&self) -> Vec<Entry> {
        let history = HistoryReader::open(&self.dir.path().join(HISTORY_FILE)).expect("a history");
        history.map(|entry| entry.expect("a good line")).collect()
    }

    /// The n-th transfer of the history that was applied.
    fn applied(&self, n: usize) -> Stored {
        self.find(n, |outcome| matches!(outcome, Outcome::Applied { .. }))
    }

    fn refused(&self, reason: Refusal) -> Stored {
        self.find(0, |outcome| matches!(outcome, Outcome::Refused { reason: found, .. } if found == reason))
    }

    fn find(&self, n: usize, wanted: impl Fn(Outcome) -> bool) -> Stored {
        let entries = self.entries();
        let mut found = entries.iter().filter_map(|entry| match entry.answer {
            Answer::Outcome(outcome) if wanted(outcome) => Some(Stored { transfer: entry.transfer, outcome }),
            _ => None,
        });
        found.nth(n).expect("the workload has one")
    }

    /// Changes rows as a store would.
    fn rows(&self, change: impl FnOnce(&mut Rows<'_>) -> Result<(), StoreError>) {
        let store = RedbStore::open(self.dir.path()).expect("a bank");
        let batch = store.begin().expect("no other commit");
        batch.fill(change).expect("rows can be changed");
        batch.commit().expect("the disk is fine");
    }

    fn put(&self, transfer: Transfer, outcome: Outcome) {
        self.rows(|rows| {
            rows.put_transfer(Stored { transfer, outcome });
            Ok(())
        });
    }

    fn move_money(&self, from: AccountId, to: AccountId, cents: i64) {
        self.rows(|rows| {
            for (id, cents) in [(from, -cents), (to, cents)] {
                let balance = rows.balance(id)?.expect("the account exists");
                rows.put_balance(id, balance + cents)?;
            }
            Ok(())
        });
    }

    /// Changes a row as no store would.
    fn raw(&self, change: impl FnOnce(&redb::WriteTransaction)) {
        let database = redb::Database::open(self.dir.path().join(DATABASE_FILE)).expect("a database");
        let writing = database.begin_write().expect("no other commit");
        change(&writing);
        writing.commit().expect("the disk is fine");
    }

    /// Changes one line of the history, the first that `wanted` wants.
    fn line(&self, wanted: impl Fn(&str) -> bool, change: impl Fn(&str) -> String) {
        let path = self.dir.path().join(HISTORY_FILE);
        let text = fs::read_to_string(&path).expect("text");
        let at = text.lines().position(wanted).expect("the history has such a line");
        let lines = text.lines().enumerate();
        let changed: String =
            lines.map(|(n, line)| if n == at { change(line) } else { format!("{line}\n") }).collect();
        fs::write(&path, changed).expect("writable");
    }

    fn audit(&self) -> Audit {
        audit(self.dir.path(), Some(&self.dir.path().join(HISTORY_FILE))).expect("there is a bank")
    }
}

/// Changes the bytes of one row.
fn rewrite<K: redb::Key + 'static>(
    writing: &redb::WriteTransaction,
    table: TableDefinition<'_, K, &[u8]>,
    key: K::SelfType<'_>,
    change: impl FnOnce(&mut Vec<u8>),
) {
    let mut table = writing.open_table(table).expect("there is such a table");
    let row = table.get(&key).expect("readable").map(|row| row.value().to_vec());
    let mut bytes = row.expect("there is such a row");
    change(&mut bytes);
    table.insert(key, bytes.as_slice()).expect("writable");
}

#[test]
fn a_good_run_is_green() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    run(dir.path(), 1500);
    let result = audit(dir.path(), Some(&dir.path().join(HISTORY_FILE))).expect("there is a bank");
    assert_eq!(result.violations.first(), []);
    assert!(result.ok());
    assert_eq!((result.accounts, result.acknowledged_checked), (140, 1500));
    assert!((1400..1500).contains(&result.transfers), "some ids were repeated: {}", result.transfers);
    let alone = audit(dir.path(), None).expect("there is a bank");
    assert_eq!(alone, Audit { acknowledged_checked: 0, ..result });
}

#[test]
fn a_small_window_sees_the_same() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    run(dir.path(), 300);
    let database = rows::Database::open(dir.path()).expect("a bank");
    for window in [1, 2, 64, 101, 1 << 20] {
        let mut violations = Violations::default();
        let mut accounts = rows::accounts(&database, &mut violations).expect("readable");
        replay::replay_in(window, &database, &mut accounts, &mut violations).expect("readable");
        accounts.check_balances(&mut violations);
        assert_eq!(violations, Violations::default(), "{window}");
    }
}

#[test]
fn every_damage_turns_it_red() {
    type Damage = fn(&Copy);
    let rows: &[(&str, Damage, &[&str])] = &[
        // The database.
        (
            "an applied transfer lost",
            |copy| {
                let id = copy.applied(5).transfer.id;
                copy.raw(|w| {
                    w.open_table(TRANSFERS).expect("there").remove(id.0).expect("writable");
                });
            },
            &["sequence", "lost", "balance"],
        ),
        (
            "a refused transfer lost",
            |copy| {
                let id = copy.refused(Refusal::SameAccount).transfer.id;
                copy.raw(|w| {
                    w.open_table(TRANSFERS).expect("there").remove(id.0).expect("writable");
                });
            },
            &["sequence", "lost"],
        ),
        (
            "cents changed",
            |copy| {
                let Stored { transfer, outcome } = copy.applied(5);
                copy.put(Transfer { cents: transfer.cents + 1, ..transfer }, outcome);
            },
            &["fields", "balance"],
        ),
        (
            "cents changed, balances with them",
            |copy| {
                let Stored { transfer, outcome } = copy.applied(5);
                copy.put(Transfer { cents: transfer.cents + 1, ..transfer }, outcome);
                copy.move_money(transfer.from, transfer.to, 1);
            },
            &["fields"],
        ),
        (
            "the payee changed",
            |copy| {
                let Stored { transfer, outcome } = copy.applied(5);
                let to = AccountId((transfer.to.0 + 2) % 140);
                copy.put(Transfer { to, ..transfer }, outcome);
            },
            &["fields", "balance"],
        ),
        (
            "the effect doubled",
            |copy| {
                let transfer = copy.applied(5).transfer;
                let cents = i64::try_from(transfer.cents).expect("small");
                copy.move_money(transfer.from, transfer.to, cents);
            },
            &["balance"],
        ),
        (
            "applied again under another id",
            |copy| {
                let Stored { transfer, .. } = copy.applied(5);
                let cents = i64::try_from(transfer.cents).expect("small");
                let partition = transfer.from.partition(2);
                copy.rows(|rows| {
                    let seq = rows.last_seq(partition)? + 1;
                    let again = Transfer { id: TransferId(transfer.id.0 + 7), ..transfer };
                    rows.put_transfer(Stored { transfer: again, outcome: Outcome::Applied { seq } });
                    Ok(())
                });
                copy.move_money(transfer.from, transfer.to, cents);
            },
            &["sequence"],
        ),
        (
            "an applied transfer stored as refused",
            |copy| {
                let Stored { transfer, outcome } = copy.applied(5);
                copy.put(transfer, Outcome::Refused { reason: Refusal::Overdraft, seq: outcome.seq() });
            },
            &["decision", "answer", "balance"],
        ),
        (
            "an overdraft stored as applied, balances with it",
            |copy| {
                let Stored { transfer, outcome } = copy.refused(Refusal::Overdraft);
                let small = Transfer { cents: 1_000_000, ..transfer };
                copy.put(small, Outcome::Applied { seq: outcome.seq() });
                copy.move_money(small.from, small.to, 1_000_000);
            },
            &["decision", "fields"],
        ),
        (
            "refused for another reason",
            |copy| {
                let Stored { transfer, outcome } = copy.refused(Refusal::ZeroAmount);
                copy.put(transfer, Outcome::Refused { reason: Refusal::SameAccount, seq: outcome.seq() });
            },
            &["decision", "answer"],
        ),
        (
            "two outcomes swapped",
            |copy| {
                let (one, other) = (copy.applied(5), copy.refused(Refusal::UnknownAccount));
                copy.put(one.transfer, other.outcome);
                copy.put(other.transfer, one.outcome);
            },
            &["decision", "answer", "balance"],
        ),
        (
            "one number twice",
            |copy| {
                let of = |n| copy.applied(n);
                let one = of(5);
                let other = (6..)
                    .map(of)
                    .find(|other| other.transfer.from.partition(2) == one.transfer.from.partition(2))
                    .expect("there are more");
                copy.put(other.transfer, one.outcome);
            },
            &["sequence", "answer"],
        ),
        (
            "a number beyond all",
            |copy| copy.put(copy.applied(5).transfer, Outcome::Applied { seq: u64::MAX }),
            &["sequence", "answer"],
        ),
        ("the partition's count changed", |copy| copy.rows(|rows| rows.put_last_seq(1, 3)), &["sequence"]),
        (
            "money made",
            |copy| {
                copy.rows(|rows| {
                    let balance = rows.balance(AccountId(9))?.expect("it exists");
                    rows.put_balance(AccountId(9), balance + 1)
                });
            },
            &["balance", "total"],
        ),
        (
            "money moved without a transfer",
            |copy| copy.move_money(AccountId(9), AccountId(11), 1),
            &["balance"],
        ),
        (
            "a page of balances lost",
            |copy| {
                copy.raw(|w| {
                    w.open_table(BALANCES).expect("there").remove((1, 1)).expect("writable");
                });
            },
            &["balance", "total"],
        ),
        (
            "a page of balances in another's place",
            |copy| {
                copy.raw(|w| {
                    let mut table = w.open_table(BALANCES).expect("there");
                    let page = table.get((0, 0)).expect("readable").expect("there").value().to_vec();
                    table.insert((1, 0), page.as_slice()).expect("writable");
                });
            },
            &["unreadable", "balance"],
        ),
        (
            "balances of accounts that were never opened",
            |copy| {
                copy.raw(|w| {
                    let record = (0_u16, 9_u32, vec![5_i64]);
                    let mut page = Vec::new();
                    let page_type = minder_codec::MessageType::new(0x0b03, 1, minder_codec::Limit::Record);
                    minder_codec::encode(page_type, &record, &mut page).expect("small");
                    w.open_table(BALANCES).expect("there").insert((0, 9), page.as_slice()).expect("writable");
                });
            },
            &["unreadable"],
        ),
        (
            "an opening changed",
            |copy| {
                copy.raw(|w| {
                    let mut opening = Vec::new();
                    let opening_type = minder_codec::MessageType::new(0x0b02, 1, minder_codec::Limit::Record);
                    minder_codec::encode(opening_type, &(7_u32, 10_001_i64, 500_u64), &mut opening)
                        .expect("small");
                    w.open_table(OPENINGS).expect("there").insert(7, opening.as_slice()).expect("writable");
                });
            },
            &["opening"],
        ),
        (
            "an opening lost",
            |copy| {
                copy.raw(|w| {
                    w.open_table(OPENINGS).expect("there").remove(7).expect("writable");
                });
            },
            &["unreadable"],
        ),
        (
            "one bit of a transfer rotten",
            |copy| {
                let id = copy.applied(5).transfer.id;
                copy.raw(|w| rewrite(w, TRANSFERS, id.0, |bytes| bytes[30] ^= 4));
            },
            &["unreadable", "sequence"],
        ),
        (
            "a transfer under another's id",
            |copy| {
                let (one, other) = (copy.applied(5).transfer.id, copy.applied(9).transfer.id);
                copy.raw(|w| {
                    let mut table = w.open_table(TRANSFERS).expect("there");
                    let row = table.get(one.0).expect("readable").expect("there").value().to_vec();
                    table.insert(other.0, row.as_slice()).expect("writable");
                });
            },
            &["unreadable", "sequence"],
        ),
        // The history.
        (
            "acknowledged and never stored",
            |copy| copy.line(|l| l.contains(" ok "), |l| format!("f{}\n", &l[1..])),
            &["lost"],
        ),
        (
            "acknowledged with other cents",
            |copy| {
                let Entry { mut transfer, answer } = copy.entries()[8];
                let before = Entry { transfer, answer }.to_string();
                transfer.cents += 1;
                let after = Entry { transfer, answer };
                copy.line(|l| l == before, |_| format!("{after}\n"));
            },
            &["fields"],
        ),
        (
            "told that it was refused",
            |copy| {
                copy.line(|l| l.contains(" ok "), |l| format!("{}\n", l.replace(" ok ", " no overdraft ")))
            },
            &["answer"],
        ),
        ("told another number", |copy| copy.line(|l| l.contains(" ok "), |l| format!("{l}0\n")), &["answer"]),
        (
            "told that it was applied",
            |copy| {
                copy.line(|l| l.contains(" no zero"), |l| format!("{}\n", l.replace("no zero_amount", "ok")));
            },
            &["answer"],
        ),
        (
            "a conflict that was none",
            |copy| {
                let conflict = |l: &str| format!("{} conflict\n", l.split(" ok ").next().unwrap_or_default());
                copy.line(|l| l.contains(" ok "), conflict);
            },
            &["false_conflict"],
        ),
        (
            "a conflict taken for an outcome",
            |copy| {
                copy.line(|l| l.ends_with(" conflict"), |l| format!("{}\n", l.replace("conflict", "ok 3")))
            },
            &["fields"],
        ),
        (
            "a conflict over an unknown id",
            |copy| copy.line(|l| l.ends_with(" conflict"), |l| format!("f{}\n", &l[1..])),
            &["lost"],
        ),
        ("a line gone", |copy| copy.line(|l| l.contains(" ok "), |_| String::new()), &["history"]),
        ("a line of rubbish", |copy| copy.line(|l| l.contains(" ok "), |_| "rubbish\n".into()), &["history"]),
        ("the end missing", |copy| copy.line(|l| l.starts_with("end"), |_| String::new()), &["history"]),
    ];
    let good = tempfile::tempdir().expect("a temporary directory");
    run(good.path(), 400);
    assert!(Copy::of(good.path()).audit().ok(), "the copy is as good as the run");
    for (name, damage, expected) in rows {
        let copy = Copy::of(good.path());
        damage(&copy);
        let result = copy.audit();
        let found: BTreeSet<&str> = result.violations.first().iter().map(Violation::name).collect();
        assert!(!result.ok(), "{name}: still green");
        for kind in *expected {
            assert!(found.contains(kind), "{name}: {kind} is not among {:?}", result.violations.first());
        }
    }
}

#[test]
fn nothing_to_audit_is_an_error() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let says = |history: Option<&Path>| audit(dir.path(), history).expect_err("nothing there").to_string();
    assert!(says(None).contains("nothing to audit"), "{}", says(None));
    fs::write(dir.path().join(DATABASE_FILE), "").expect("writable");
    assert!(says(None).contains("is empty"), "{}", says(None));
    fs::write(dir.path().join(DATABASE_FILE), [7; 10_000]).expect("writable");
    assert!(says(None).contains("nothing to audit"), "{}", says(None));
    fs::remove_file(dir.path().join(DATABASE_FILE)).expect("there");
    let store = RedbStore::create(dir.path(), BANK).expect("an empty directory");
    assert!(says(None).contains("open elsewhere"), "{}", says(None));
    assert!(says(Some(&dir.path().join("none"))).contains("cannot be read"));
    drop(store);
    assert!(audit(dir.path(), None).expect("a bank").ok());
}
