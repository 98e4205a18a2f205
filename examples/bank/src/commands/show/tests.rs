//! What is shown of a small bank, as columns and as JSON, and what is said of what is not there.

use std::path::Path;

use clap::Parser;

use super::*;
use crate::accounts::Account;
use crate::config::BankConfig;
use crate::redb_store::RedbStore;
use crate::store::{Store, Work};
use crate::transfers::Transfer;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: ShowArgs,
}

/// A bank of six accounts in two partitions, in which some transfers were decided.
fn bank(dir: &Path) {
    let config = BankConfig::new(6, 2);
    let mut store = RedbStore::create(dir, config).expect("an empty directory");
    let works = [
        // Greater ids are decided first: the order of decisions is not that of ids.
        (0, vec![(9, 0, 2, 500), (8, 4, 0, 100_000), (7, 0, 2, 999_999), (6, 2, 0, 7), (5, 0, 1, 5)]),
        (1, vec![(4, 3, 1, 110_000), (3, 1, 0, 9)]),
    ];
    for (partition, transfers) in works {
        let transfers = transfers.into_iter().map(|(id, from, to, cents)| Transfer {
            id: TransferId(id),
            from: AccountId(from),
            to: AccountId(to),
            cents,
        });
        let books: Vec<Account> = config.ids_of(partition).map(|id| config.opened(id)).collect();
        let work = Work { partition, transfers: transfers.collect(), books };
        let done = store.commit(&[work]).expect("the disk has room");
        assert!(done.iter().all(Result::is_ok), "{done:?}");
    }
}

fn shown(dir: &Path, what: &str) -> Result<String, ShowError> {
    let dir = dir.display().to_string();
    let words = ["show", &dir].into_iter().chain(what.split_whitespace());
    let args = Cli::try_parse_from(words).map(|cli| cli.args).expect(what);
    let mut out = Vec::new();
    show(&args, &mut out)?;
    Ok(String::from_utf8(out).expect("text"))
}

/// The words of each line.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

fn id(number: u128) -> String {
    TransferId(number).to_string()
}

#[test]
fn accounts_by_number() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    bank(dir.path());
    let text = shown(dir.path(), "accounts").expect("a bank");
    let expected = [
        ["account", "partition", "opening", "limit", "balance"],
        ["0", "0", "100000", "0", "199507"],
        ["1", "1", "100000", "0", "210000"],
        ["2", "0", "100000", "0", "100493"],
        ["3", "1", "100000", "10000", "-10000"],
        ["4", "0", "100000", "0", "0"],
        ["5", "1", "100000", "0", "100000"],
    ];
    assert_eq!(words(&text), expected);
    let text = shown(dir.path(), "accounts --partition 1").expect("a bank");
    assert_eq!(words(&text)[1..], [expected[2], expected[4], expected[6]]);
    let json = shown(dir.path(), "accounts --json").expect("a bank");
    let third = r#"{"account":3,"partition":1,"opening":100000,"limit":10000,"balance":-10000}"#;
    assert_eq!(json.lines().nth(3), Some(third));
}

#[test]
fn a_transfer_and_what_became_of_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    bank(dir.path());
    let text = shown(dir.path(), &format!("transfer {}", id(9))).expect("it is there");
    assert_eq!(words(&text)[1], [&id(9), "0", "2", "500", "applied", "0", "1"]);
    let text = shown(dir.path(), &format!("transfer {}", id(7))).expect("it is there");
    assert_eq!(words(&text)[1], [&id(7), "0", "2", "999999", "overdraft", "0", "3"]);
    let json = shown(dir.path(), &format!("--json transfer {}", id(5))).expect("it is there");
    let fields =
        r#""from":0,"to":1,"cents":5,"outcome":"refused","reason":"other_partition","partition":0,"seq":5"#;
    assert_eq!(json, format!("{{\"id\":\"{}\",{fields}}}\n", id(5)));
}

#[test]
fn a_history_in_the_order_of_decisions_with_balances() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    bank(dir.path());
    let text = shown(dir.path(), "history 0").expect("it is there");
    let ids = [9, 8, 7, 6, 5].map(id);
    let expected = [
        ["1", &ids[0], "out", "2", "500", "applied", "99500"],
        ["2", &ids[1], "in", "4", "100000", "applied", "199500"],
        ["3", &ids[2], "out", "2", "999999", "overdraft", "199500"],
        ["4", &ids[3], "in", "2", "7", "applied", "199507"],
        // The transfer of 9 cents from account 1 was decided, and refused, in the other partition.
        ["5", &ids[4], "out", "1", "5", "other_partition", "199507"],
    ];
    assert_eq!(words(&text)[1..], expected);
    let text = shown(dir.path(), "history 0 --limit 2").expect("it is there");
    assert_eq!(words(&text)[1..], expected[3..]);
    let text = shown(dir.path(), "history 5").expect("it is there");
    assert_eq!(text.lines().count(), 1, "nothing but the heads: {text}");
    let json = shown(dir.path(), "history 0 --limit 3 --json").expect("it is there");
    let fields =
        r#""direction":"out","other":2,"cents":999999,"outcome":"refused","reason":"overdraft","change":0"#;
    let first = format!("{{\"seq\":3,\"id\":\"{}\",{fields},\"balance\":199500}}", ids[2]);
    assert_eq!(json.lines().next(), Some(first.as_str()));
}

#[test]
fn what_is_not_there_is_said() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let error = shown(dir.path(), "accounts").expect_err("no bank");
    assert!(error.exit() == Exit::BadConfiguration && error.to_string().contains("is not a bank"), "{error}");
    bank(dir.path());
    let rows = [
        ("accounts --partition 2", "there is no partition 2; the bank has those from 0 to 1"),
        ("transfer 00000000000000000000000000000001", "has no transfer 00000000000000000000000000000001"),
        ("history 6", "there is no account 6; the bank has those from 0 to 5"),
        ("history 4294967295", "there is no account 4294967295"),
    ];
    for (what, says) in rows {
        let error = shown(dir.path(), what).expect_err(what);
        assert!(
            error.exit() == Exit::BadConfiguration && error.to_string().contains(says),
            "{what}: {error}"
        );
    }
    let open = RedbStore::open(dir.path()).expect("a bank");
    let error = shown(dir.path(), "accounts").expect_err("it is open elsewhere");
    assert!(error.exit() == Exit::Failed && error.to_string().contains("is open elsewhere"), "{error}");
    drop(open);
}

/// Who reads only the beginning (`| head`) gets it, and no complaint.
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    bank(dir.path());
    for json in [false, true] {
        let what = What::Accounts { partition: None };
        show(&ShowArgs { dir: dir.path().to_owned(), what, json }, Closed).expect("nothing is wrong");
    }
}
