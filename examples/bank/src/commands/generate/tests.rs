//! Files that are generated: what they hold, that they follow from the arguments, and that they can be read.

use std::collections::BTreeSet;
use std::io::Read;

use clap::Parser;

use super::*;
use crate::input::{Line, TransferReader};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: GenerateArgs,
}

fn args(text: &str) -> GenerateArgs {
    let words = ["generate"].into_iter().chain(text.split_whitespace());
    Cli::try_parse_from(words).map(|cli| cli.args).expect(text)
}

fn made(text: &str) -> (String, String) {
    let (mut out, mut names) = (Vec::new(), Vec::new());
    write_lines(&args(text), &mut out, &mut names).expect("memory can be written");
    (String::from_utf8_lossy(&out).into_owned(), String::from_utf8(names).expect("text"))
}

fn transfers(text: &str) -> Vec<Transfer> {
    let reader = TransferReader::new("made".to_owned(), text.as_bytes());
    reader
        .map(|line| match line.expect("memory can be read") {
            Line::Transfer(transfer) => transfer,
            Line::Bad(bad) => panic!("{bad}"),
        })
        .collect()
}

#[test]
fn follows_from_the_arguments() {
    let rows = ["--count 1000", "--count 1000 --shape zipf", "--count 1000 --random-ids"];
    for row in rows {
        assert_eq!(made(row), made(row), "{row}");
        assert_ne!(made(row), made(&format!("{row} --seed 2")), "{row}");
        assert_eq!(transfers(&made(row).0).len(), 1_000, "{row}");
    }
}

#[test]
fn ids_are_in_the_order_of_time_or_in_none() {
    let ids = |text| transfers(&made(text).0).iter().map(|t| t.id).collect::<Vec<_>>();
    let timely = ids("--count 1000 --clients 7");
    assert!(timely.is_sorted_by(|a, b| a < b));
    assert_eq!(timely.iter().map(|id| id.client()).collect::<BTreeSet<_>>(), (0..7).collect());
    let random = ids("--count 1000 --random-ids");
    assert!(!random.is_sorted());
    assert_eq!(random.iter().collect::<BTreeSet<_>>().len(), 1_000);
}

#[test]
fn broken_lines_are_what_they_are_named() {
    let (mut out, mut names) = (Vec::new(), Vec::new());
    let args = args("--count 500 --broken 20");
    write_lines(&args, &mut out, &mut names).expect("memory can be written");
    let reader = TransferReader::new("made".to_owned(), out.as_slice());
    let found: String = reader
        .filter_map(|line| match line.expect("memory can be read") {
            Line::Transfer(_) => None,
            Line::Bad(bad) => Some(format!("line {}: {}\n", bad.line, bad.why.name())),
        })
        .collect();
    assert_eq!(String::from_utf8_lossy(&names), found);
    let kinds: BTreeSet<&str> = found.lines().filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!((found.lines().count(), kinds.len()), (20, 10));
}

#[test]
fn a_packed_file_holds_the_same() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| dir.path().join(name).display().to_string();
    for name in ["t.csv", "t.csv.gz"] {
        generate(&args(&format!("--count 1000 -o {}", path(name)))).expect("writable");
    }
    let plain = std::fs::read_to_string(path("t.csv")).expect("text");
    let packed = std::fs::read(path("t.csv.gz")).expect("readable");
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut unpacked).expect("gzip");
    assert!(packed.len() < plain.len() / 2);
    assert_eq!(unpacked, plain);
}

#[test]
fn what_cannot_be_made_is_refused() {
    let rows = [
        ("--accounts 3", Exit::BadConfiguration, "each partition needs two"),
        ("--count 3 --broken 4", Exit::BadConfiguration, "more lines are to be broken"),
        ("-o /no/such/folder/file", Exit::Failed, "cannot be written"),
    ];
    for (text, exit, says) in rows {
        let error = generate(&args(text)).expect_err(text);
        assert_eq!(error.exit(), exit, "{text}");
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
}
