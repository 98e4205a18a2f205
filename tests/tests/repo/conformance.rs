//! The page of OTP's promises is up to date, nothing is wrong with its rows, and none is missing. What can be wrong, and
//! that it is found out, stands with `minder_tests::conformance`.

use minder_tests::conformance::{Conformance, PAGE};

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
