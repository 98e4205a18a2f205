//! The page of OTP's promises is up to date, nothing is wrong with its rows, and none is missing. What can be wrong, and
//! that it is found out, stands with `minder_tests::conformance`.

use std::collections::BTreeSet;

use minder_tests::conformance::{BY_DESIGN, Conformance, PAGE, QUESTIONS, Verdict};

use crate::assert_none;
use crate::workspace::{read, root};

/// How many promises there are, and how many of them are core.
const ROWS: (usize, usize) = (389, 136);

#[test]
fn every_core_row_of_otps_promises_is_shown_and_the_page_is_up_to_date() {
    let conformance = Conformance::of_checkout(root()).expect("the rows can be read");
    let core = conformance.rows().filter(|row| row.core).count();
    assert_eq!((conformance.rows().count(), core), ROWS);
    assert_none("rows and the tests that name them", &conformance.wrong());
    let is_fresh = read(PAGE) == conformance.page();
    assert!(is_fresh, "{PAGE}: run `cargo run -q -p minder-tests --bin conformance -- --write`");
}

/// Nothing is allowed or asked that is not so, or twice.
#[test]
fn what_may_differ_does() {
    let conformance = Conformance::of_checkout(root()).expect("the rows can be read");
    let differs = |row: &&str| {
        let row = conformance.rows().find(|known| known.name == **row);
        row.is_some_and(|row| matches!(conformance.verdict(row), Verdict::Different | Verdict::Question))
    };
    let listed: Vec<&str> = BY_DESIGN.iter().chain(QUESTIONS).map(|(row, _)| *row).collect();
    let others: Vec<String> = listed.iter().filter(|row| !differs(row)).map(ToString::to_string).collect();
    assert_none("rows that are listed and do not differ", &others);
    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), listed.len(), "each stands once: {listed:?}");
}
