//! A popularity contest. Every luvvy wants to know who is the most popular of all, so each asks each how popular they
//! are, and whoever is asked asks each whether they like them. If they waited for the answers themselves, nobody would be
//! left to give one; they delegate. Exits with 0 if the result is right.
//!
//! After the play of that name in Luvvy, the Julia prototype that minder comes from.

mod luvvy;
mod stage;

use std::error::Error;
use std::time::Duration;

use minder::prelude::*;

use crate::luvvy::{Luvvy, Manner, likes};
use crate::stage::{Stage, StageCalls};

const CAST: usize = 8;

/// Who was named the most popular by how many, or why there is no result.
type Outcome = Result<Vec<usize>, String>;

async fn play(system: &System, manner: Manner) -> Result<Outcome, Box<dyn Error>> {
    let (addresses, seats): (Vec<_>, Vec<_>) = (0..CAST).map(|_| system.address()).unzip();
    let (stage, stage_seat) = system.address();
    let cast = seats.into_iter().enumerate().map(|(me, seat)| {
        let others = addresses.clone();
        actor_in(&format!("luvvy-{me}"), seat, move || Luvvy::new(me, others.clone(), manner))
            .restart(Restart::Transient)
    });
    let tree = one_for_one().child(actor_in("stage", stage_seat, Stage::default)).children(cast);
    tree.start(system, "theatre").await?;
    Ok(stage.perform(addresses).within(Duration::from_secs(60)).await?)
}

/// Whom everybody has to name: the one with the most fans, and of several the first.
fn most_popular() -> usize {
    let fans = |one: usize| (0..CAST).filter(|&other| likes(other, one)).count();
    (0..CAST).rev().max_by_key(|&one| fans(one)).unwrap_or(0)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::new()?;
    let outcome = play(&system, Manner::Delegating).await?;
    println!("{CAST} luvvies have asked each other, and named {outcome:?}");
    if outcome != Ok(vec![most_popular(); CAST]) {
        return Err(format!("the most popular is luvvy-{}", most_popular()).into());
    }
    // The cast has left; the stage and its supervisor are still there.
    let still_there = system.living();
    let report = system.shutdown(Duration::from_secs(5)).await;
    if still_there != 2 || !report.is_clean() {
        return Err(format!("{still_there} were left on the stage; {report}").into());
    }

    let system = System::new()?;
    match play(&system, Manner::Waiting).await? {
        Ok(named) => return Err(format!("nobody can have waited for this: {named:?}").into()),
        Err(why) => println!("and if they wait for it themselves: {why}"),
    }
    system.shutdown(Duration::from_secs(5)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use minder_fault_injection::testkit::Kit;

    use super::{CAST, Manner, most_popular, play};

    #[minder_fault_injection::test(seeds = 100)]
    async fn the_result_is_the_same_in_every_order_of_events(kit: Kit) {
        let outcome = play(kit.system(), Manner::Delegating).await.expect("it is performed");
        assert_eq!(outcome, Ok(vec![most_popular(); CAST]));
        kit.settle().await;
        assert_eq!(kit.system().living(), 2, "whoever was told to leave has left");
    }

    #[minder_fault_injection::test(seeds = 100)]
    async fn without_delegate_the_deadlock_is_told_with_its_names(kit: Kit) {
        let outcome = play(kit.system(), Manner::Waiting).await.expect("it is performed");
        let why = outcome.expect_err("they wait for each other");
        let named = (0..CAST).filter(|one| why.contains(&format!("theatre/luvvy-{one}"))).count();
        assert!(named >= 2, "{why}");
        assert_eq!(kit.now(), std::time::Duration::ZERO, "at once, and not at a deadline");
    }
}
