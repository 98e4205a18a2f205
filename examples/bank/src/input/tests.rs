//! Files of transfers: every way to write a good one, every way to spoil a line, and what becomes of them.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::accounts::AccountId;
use crate::transfers::{Transfer, TransferId};

const ID: &str = "019ab1de9c000000003f000000000001";

fn good() -> Transfer {
    let id = TransferId(0x019a_b1de_9c00_0000_003f_0000_0000_0001);
    Transfer { id, from: AccountId(12), to: AccountId(16), cents: 1250 }
}

fn read(bytes: &[u8]) -> Result<Vec<Line>, InputError> {
    TransferReader::new("t.csv".to_owned(), bytes).collect()
}

/// What is wrong with each bad line, and how many are good.
fn read_lines(bytes: &[u8]) -> (Vec<String>, usize) {
    let lines = read(bytes).expect("memory can be read");
    let bad = lines.iter().filter_map(|line| match line {
        Line::Bad(bad) => Some(bad.to_string()),
        Line::Transfer(transfer) => {
            assert_eq!(*transfer, good());
            None
        }
    });
    let bad: Vec<String> = bad.collect();
    let good = lines.len() - bad.len();
    (bad, good)
}

#[test]
fn every_way_to_write_a_good_file() {
    let line = format!("{ID},12,16,1250");
    let head = "id,from,to,cents";
    let upper = ID.to_uppercase();
    let rows: &[(&str, String, usize)] = &[
        ("header and LF", format!("{head}\n{line}\n{line}\n"), 2),
        ("header and CRLF", format!("{head}\r\n{line}\r\n{line}\r\n"), 2),
        ("both", format!("{head}\r\n{line}\n{line}\r\n"), 2),
        ("no header", format!("{line}\n{line}\n"), 2),
        ("no last end", format!("{head}\n{line}"), 1),
        ("CR without LF at the end", format!("{line}\r"), 1),
        ("quoted header", "\"id\",\"from\",\"to\",\"cents\"\n".to_owned(), 0),
        ("quoted fields", format!("\"{ID}\",\"12\",\"16\",\"1250\"\r\n"), 1),
        ("some quoted", format!("{ID},\"12\",16,\"1250\"\n"), 1),
        ("spaces", format!("id, from, to, cents\n {ID} , 12,\t16 ,1250 \n"), 1),
        ("spaces behind quotes", format!("{ID},\"12\" ,16,1250\n"), 1),
        ("capitals", format!("ID,From,To,Cents\n{upper},12,16,1250\n"), 1),
        ("zeros", format!("{ID},0012,00000000000016,001250\n"), 1),
        ("byte order mark", format!("\u{feff}{head}\n{line}\n"), 1),
        ("byte order mark, no header", format!("\u{feff}{line}\n"), 1),
        ("blank lines", format!("\n\r\n{head}\n\n{line}\n   \n{line}\n\n"), 2),
        ("joined files", format!("{head}\n{line}\n{head}\n{line}\n"), 2),
        ("nothing", String::new(), 0),
        ("a header only", format!("{head}\n"), 0),
    ];
    for (name, text, expected) in rows {
        assert_eq!(read_lines(text.as_bytes()), (vec![], *expected), "{name}");
    }
}

#[test]
fn the_table_of_bad_lines() {
    let i = ID;
    let rows: &[(&str, String, &str)] = &[
        ("fields", format!("{i},12,16"), "it has 3 fields instead of 4: id,from,to,cents"),
        ("fields", format!("{i},12,16,1250,"), "it has 5 fields instead of 4: id,from,to,cents"),
        ("fields", i.to_owned(), "it has 1 field instead of 4"),
        ("fields", ",".repeat(1_024), "it has 1025 fields instead of 4"),
        ("fields", format!("{i};12;16;1250"), "it has 1 field instead of 4"),
        ("empty", ",12,16,1250".to_owned(), "`id` is empty"),
        ("empty", format!("{i},,16,1250"), "`from` is empty"),
        ("empty", format!("{i},12, ,1250"), "`to` is empty"),
        ("empty", format!("{i},12,16,\"\""), "`cents` is empty"),
        (
            "not_an_id",
            format!("{},12,16,1250", &i[1..]),
            "`id` is not 32 hexadecimal digits: 19ab1de9c000000003f000000000001",
        ),
        (
            "not_an_id",
            format!("{},12,16,1250", i.replace('a', "g")),
            "`id` is not 32 hexadecimal digits: 019gb1",
        ),
        ("not_an_id", format!("{i}{i},12,16,1250"), "019ab1de9c000000003f000000000001019ab1de…"),
        ("not_an_id", "\"a,b\u{7}\",12,16,1250".to_owned(), "`id` is not 32 hexadecimal digits: a,b\\u{7}"),
        ("not_an_account", format!("{i},x,16,1250"), "`from` is not an account number: x"),
        ("not_an_account", format!("{i},12,-16,1250"), "`to` is not an account number: -16"),
        ("not_an_account", format!("{i},12,1.5,1250"), "`to` is not an account number: 1.5"),
        ("not_an_account", format!("{i},+12,16,1250"), "`from` is not an account number: +12"),
        ("not_an_account", format!("{i},\"1\"\"2\",16,1250"), "`from` is not an account number: 1\\\"2"),
        ("not_an_account", format!("{i},1\r2,16,1250"), "`from` is not an account number: 1\\r2"),
        (
            "account_too_large",
            format!("{i},12,4294967296,1250"),
            "`to` is larger than any account number (4294967295): 4294967296",
        ),
        ("negative", format!("{i},12,16,-1250"), "`cents` is below zero: -1250"),
        ("negative", format!("{i},12,16,-0.5"), "`cents` is below zero: -0.5"),
        ("not_whole", format!("{i},12,16,12.50"), "`cents` is not a whole number of cents: 12.50"),
        (
            "cents_too_large",
            format!("{i},12,16,18446744073709551616"),
            "`cents` is larger than any amount (18446744073709551615): 18446744073709551616",
        ),
        ("not_cents", format!("{i},12,16,much"), "`cents` is not a number: much"),
        ("not_cents", format!("{i},12,16,1e3"), "`cents` is not a number: 1e3"),
        ("not_cents", format!("{i},12,16,12."), "`cents` is not a number: 12."),
        ("not_cents", format!("{i},12,16,-"), "`cents` is not a number: -"),
        ("not_cents", format!("{i},12,16,1 250"), "`cents` is not a number: 1 250"),
        ("open_quote", format!("\"{i},12,16,1250"), "a quote is opened and not closed"),
        ("open_quote", format!("{i},12,16,\"1250"), "a quote is opened and not closed"),
        ("open_quote", format!("{i},12,16,\"1250\"\""), "a quote is opened and not closed"),
        ("beside_quotes", format!("{i},\"1\"2,16,1250"), "text stands beside a quoted field, with no comma"),
        ("too_long", format!("{i},12,16,{}", "0".repeat(1_024)), "it is longer than 1024 bytes"),
        ("too_long", "x".repeat(1 << 20), "it is longer than 1024 bytes"),
        ("other_header", "id,to,from,cents".to_owned(), "it names other columns than id,from,to,cents"),
    ];
    let fine = format!("{ID},12,16,1250");
    for (kind, line, says) in rows {
        for end in ["\n", "\r\n"] {
            let text = format!("{fine}{end}{line}{end}{fine}{end}");
            let lines = read(text.as_bytes()).expect(says);
            let [Line::Transfer(first), Line::Bad(bad), Line::Transfer(last)] = lines.as_slice() else {
                panic!("{line:?}: one bad line between two good ones, not {lines:?}");
            };
            assert_eq!((first, last), (&good(), &good()), "{line:?}");
            assert_eq!((bad.line, bad.why.name()), (2, *kind), "{line:?}");
            assert!(bad.to_string().starts_with("line 2: ") && bad.to_string().contains(says), "{bad}");
        }
        // A bad line at the end harms nobody either.
        let (bad, good) = read_lines(format!("{fine}\n{line}").as_bytes());
        assert_eq!((bad.len(), good), (1, 1), "{line:?}");
    }
    let (bad, good) = read_lines(&[fine.as_bytes(), b"\n\xff", fine.as_bytes(), b"\n"].concat());
    assert_eq!((bad, good), (vec!["line 2: it is not UTF-8".to_owned()], 1));
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let text = format!("id,from,to,cents\n\n{ID},12,16,1250\nbad\n{}\n\n{ID},12,16\n", "x".repeat(5_000));
    let (bad, good) = read_lines(text.as_bytes());
    let numbers: Vec<&str> = bad.iter().filter_map(|bad| bad.split(':').next()).collect();
    assert_eq!((numbers, good), (vec!["line 4", "line 5", "line 7"], 1));
}

/// A payee taken for a payer would move the money the wrong way, line after line.
#[test]
fn other_columns_refuse_the_file() {
    for header in ["id,to,from,cents", "from,to,id,cents", "id,from,to,amount", "id;x,from"] {
        let error = read(format!("\n{header}\n{ID},12,16,1250\n").as_bytes()).expect_err(header);
        let says = format!("t.csv has the columns {header}, and must have id,from,to,cents, in this order");
        assert_eq!(error.to_string(), says);
    }
}

fn written(dir: &Path, name: &str, bytes: &[u8]) -> Source {
    let path = dir.join(name);
    std::fs::write(&path, bytes).expect("writable");
    Source::named(&path)
}

fn packed(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).expect("memory can be written");
    packer.finish().expect("memory can be written")
}

#[test]
fn packed_files_are_unpacked_with_all_their_members() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let line = format!("{ID},12,16,1250\n");
    let members = [packed(&format!("id,from,to,cents\n{line}")), packed(""), packed(&line)].concat();
    let source = written(dir.path(), "t.csv.GZ", &members);
    assert_eq!(check(&source).expect("all lines are good"), Checked { transfers: 2 });

    let source = written(dir.path(), "cut.gz", &members[..members.len() - 9]);
    let error = check(&source).expect_err("it has no end").to_string();
    assert!(error.contains("cut.gz cannot be read beyond line"), "{error}");
    let source = written(dir.path(), "no.gz", line.as_bytes());
    let error = check(&source).expect_err("it is not packed").to_string();
    assert!(error.contains("no.gz cannot be read beyond line 0: invalid gzip header"), "{error}");
}

#[test]
fn what_cannot_be_opened_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for path in [dir.path().join("missing.csv"), dir.path().to_owned()] {
        let error = check(&Source::named(&path)).expect_err("no file").to_string();
        assert!(error.starts_with(&format!("{} cannot be opened: ", path.display())), "{error}");
    }
}

#[test]
fn a_check_counts_every_bad_line_and_keeps_a_hundred() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text: String =
        (0..400).map(|n| if n % 2 == 0 { format!("{ID},12,16,1250\n") } else { "x\n".into() }).collect();
    let error = check(&written(dir.path(), "t.csv", text.as_bytes())).expect_err("half of it is bad");
    let says = "t.csv is refused: 200 of its 400 lines are bad; nothing was applied";
    assert!(error.to_string().ends_with(says), "{error}");
    let InputError::Refused { bad, .. } = error else { panic!("{error}") };
    let numbers: Vec<u64> = bad.first().iter().map(|bad| bad.line).collect();
    assert_eq!(numbers, (1..=100).map(|n| 2 * n).collect::<Vec<_>>());
}

#[test]
fn what_was_put_aside_says_the_same_and_goes_at_the_end() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let packed = written(dir.path(), "t.gz", &packed(&format!("{ID},12,16,1250\n")));
    let run = dir.path().join("run");
    let aside = packed.put_aside(&run).expect("writable");
    assert!(aside.can_be_read_twice() && aside.name() == packed.name());
    for _ in 0..2 {
        assert_eq!(check(&aside).expect("all lines are good").transfers, 1);
    }
    drop(aside);
    assert_eq!(std::fs::read_dir(&run).expect("it is there").count(), 0);
    assert!(!Source::named(Path::new("-")).can_be_read_twice());
}

/// Takes everything from a feed, all clients at once: the reader waits for whoever is slow.
fn take(feed: &mut Feed) -> Vec<Vec<Transfer>> {
    std::thread::scope(|scope| {
        let takes: Vec<_> = feed
            .queues
            .drain(..)
            .map(|mut queue| scope.spawn(move || std::iter::from_fn(|| queue.blocking_recv()).collect()))
            .collect();
        takes.into_iter().map(|taken| taken.join().expect("it only takes")).collect()
    })
}

#[test]
fn an_id_goes_to_one_client_in_the_order_of_the_file() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let line = |n: u32| format!("{:032x},{n},1,{n}\n", n % 50);
    let text: String = (0..500).map(line).chain(["bad\n".to_owned()]).collect();
    let input = Input { source: written(dir.path(), "t.csv", text.as_bytes()), checked: false };
    let mut feed = Feed::start(&input, 8).expect("readable");
    let taken = take(&mut feed);
    assert_eq!(taken.iter().map(Vec::len).sum::<usize>(), 500);
    assert!(taken.iter().all(|client| client.len() < 200), "they share the work");
    for id in (0..50).map(TransferId) {
        let have: Vec<&Vec<Transfer>> =
            taken.iter().filter(|client| client.iter().any(|t| t.id == id)).collect();
        assert_eq!(have.len(), 1, "{id}");
        let cents: Vec<u64> = have[0].iter().filter(|t| t.id == id).map(|t| t.cents).collect();
        assert!(cents.len() == 10 && cents.is_sorted(), "{id}: {cents:?}");
    }
    let read = feed.read();
    assert_eq!((read.lines, read.transfers, read.bad.count(), read.ended), (501, 500, 1, true));
    assert!(read.error.is_none());
}

#[test]
fn a_feed_stops_where_a_checked_file_was_changed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text = format!("{ID},12,16,1250\nbad\n{ID},12,16,1250\n");
    let input = Input { source: written(dir.path(), "t.csv", text.as_bytes()), checked: true };
    let mut feed = Feed::start(&input, 1).expect("readable");
    assert_eq!(take(&mut feed), [vec![good()]]);
    let error = feed.read().error.expect("it was changed").to_string();
    assert!(error.contains("was changed after it was checked: line 2: it has 1 field"), "{error}");
}

#[test]
fn a_feed_ends_when_nobody_takes_any_more() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text = format!("{ID},12,16,1250\n").repeat(5_000);
    let input = Input { source: written(dir.path(), "t.csv", text.as_bytes()), checked: false };
    let mut feed = Feed::start(&input, 2).expect("readable");
    // The id's own client goes; the other one's queue ends with the reader.
    drop(feed.queues.remove(feed::client_of(good().id, 2)));
    assert_eq!(take(&mut feed), [vec![]]);
    assert!(!feed.read().ended && feed.read().lines < 5_000);
}
