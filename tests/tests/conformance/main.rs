//! What OTP promises, held: its supervisor's and its processes' scenarios against its own traces, and by hand those rows of
//! `tests/otp/rows.txt` that no other test shows. One module a family; a test says in the last line of its documentation
//! which rows it shows, and docs/otp-conformance.md is made of that.

mod gen_server;
mod links;
mod otp;
mod procs;
mod start_protocol;
mod supervisors;
#[path = "../promises/support.rs"]
#[allow(dead_code, reason = "the promises use all of it, these tests some")]
mod support;
mod timers;
