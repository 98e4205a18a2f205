//! For tests of invariants: a state that was broken by hand has to be found out, for the right reason.

extern crate std;

use alloc::string::String;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// `check` panics, and says `expected`.
pub(crate) fn assert_found_out(row: usize, expected: &str, check: impl FnOnce()) {
    let payload = catch_unwind(AssertUnwindSafe(check)).expect_err("a broken invariant passes for whole");
    let message = payload.downcast_ref::<String>().map_or("", String::as_str);
    let message = payload.downcast_ref::<&str>().copied().unwrap_or(message);
    assert!(message.contains(expected), "row {row}: {message}");
}
