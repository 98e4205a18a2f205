//! The simulator and the test kit, promise by promise: order, time, quiet, escapes, faults, probes, judgement, and the
//! attribute that makes a test of an `async fn`.

mod attribute;
mod escapes;
mod judgement;
mod kit;
mod order;
mod probes;
mod quiet;
mod support;
mod time;
