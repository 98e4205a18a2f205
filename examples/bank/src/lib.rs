//! A bank under fire: double entry in whole cents, transfers on disk, and an audit that trusts nobody.
//! Where to start reading: `service/tree.rs` for the actors and who looks after them, `decide.rs` for the rules,
//! `run.rs` for a run, `audit` for the judgement.

pub mod accounts;
pub mod audit;
pub mod books;
pub mod cli;
pub mod clients;
pub mod commands;
pub mod config;
pub mod decide;
pub mod demo;
pub mod exit;
pub mod faults;
pub mod history;
pub mod input;
pub mod logging;
pub mod outcomes;
pub mod pace;
pub mod process;
pub mod redb_store;
pub mod report;
pub mod run;
pub mod scribe;
pub mod service;
pub mod store;
pub mod transfers;
pub mod watch;
pub mod workload;
