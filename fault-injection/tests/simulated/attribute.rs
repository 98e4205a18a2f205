//! `#[minder_fault_injection::test]`, as users write it.

use minder::prelude::*;
use minder_fault_injection::testkit::Kit;

use crate::support::{Counter, Msg, SECOND, in_another_process};

#[minder_fault_injection::test]
async fn counter_starts_again(kit: Kit) {
    let counter = kit.supervise("counter", Counter::default).await;
    kit.crash(&counter).await;
    assert_eq!(kit.generation(&counter), 2);
}

#[minder_fault_injection::test]
async fn a_tree_and_a_path() {
    let system = System::new().expect("a system that a test makes itself is simulated, too");
    let counter = system.spawn(Counter::default).expect("it is not shutting down");
    counter.tell(Msg::Nap(SECOND * 3600)).expect("there is room");
    let read = counter.ask_within(SECOND * 7200, Msg::Read).await;
    assert_eq!((read.ok(), system.now().since_start()), (Some(0), SECOND * 3600));
}

#[minder_fault_injection::test(seeds = 10)]
async fn errors_end_a_test(kit: Kit) -> Result<(), Box<dyn std::error::Error>> {
    let counter = kit.supervise("counter", Counter::default).await;
    counter.tell(Msg::Add(2))?;
    assert_eq!(counter.ask(Msg::Read).await?, 2);
    Ok(())
}

#[minder_fault_injection::test(seeds = 5)]
#[should_panic(
    expected = "attribute::a_failure_is_a_panic failed under seed 3 (of 5): the test panicked: three"
)]
async fn a_failure_is_a_panic(kit: Kit) {
    assert!(kit.seed() != 3, "three");
}

#[minder_fault_injection::test(seeds = 30)]
async fn tells_its_seed(kit: Kit) {
    println!("ran under {}", kit.seed());
}

#[test]
fn one_seed_can_be_asked_for() {
    let test = "attribute::tells_its_seed";
    let printed = in_another_process(test, ("MINDER_SEED", "17"));
    let seeds: Vec<&str> = printed.lines().filter(|line| line.contains("ran under")).collect();
    assert!(seeds.len() == 1 && seeds[0].ends_with("ran under 17"), "{printed}");
    let printed = in_another_process(test, ("MINDER_SEED", "x"));
    assert!(printed.contains("MINDER_SEED=x is no number"), "{printed}");
}
