//! The simulator and the test kit, promise by promise: order, time, quiet, escapes, faults, probes, judgement, and the
//! attribute that makes a test of an `async fn`. `overtaken` is of the runtime, on a host of its own.

mod attribute;
mod escapes;
mod judgement;
mod kit;
mod order;
mod overtaken;
mod probes;
mod quiet;
mod support;
mod time;
