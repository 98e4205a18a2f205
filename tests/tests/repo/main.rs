//! The rules of this repository that a compiler does not hold: who may depend on whom, under which licences, with which
//! features, and what a file may contain. Each rule is a function from what was read to what is wrong with it, and
//! each is also given a bad sample that it must find: a check that cannot fail checks nothing.
//! Code style is rustfmt's and clippy's business.

mod arrows;
mod conformance;
mod duplicates;
mod features;
mod licences;
mod promised;
mod source;
mod tidy;
mod toml;
mod workspace;

/// Fails with everything that is wrong, one a line, so that one run shows all of it.
#[track_caller]
fn assert_none(rule: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{rule}:\n  {}", wrong.join("\n  "));
}
