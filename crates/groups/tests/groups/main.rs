//! The promises of groups and of the event bus, each with crashes. A case is a row where rows will do. Time is virtual,
//! or nothing but messages is waited for.

mod bus;
mod delivery;
mod keeper;
mod members;
mod sending;
mod stops;
mod support;
mod watch;
