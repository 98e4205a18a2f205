//! Long sequences of events by chance, against the plain model: they reach what short ones cannot, such as retries of group
//! restarts and notices of third lives. One that differs is shrunk to the fewest events that still do.

use crate::fixed::beginning;
use crate::harness::{Case, PERIOD, Step};
use crate::reference::Ask;
use crate::words::Input;
use crate::{RESTARTS, SHUTDOWNS, STRATEGIES, live};
use minder_signals::ExitReason;
use minder_supervisors_core::{AutoShutdown, ChildRules, Event, Restart, Rules};
use proptest::prelude::*;
use std::cell::Cell;

/// Something that may happen, to one child. It is passed over where it cannot: so others may be left out around it.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Started,
    StartFails,
    Ignored,
    Ends,
    Crashes,
    CrashesUncharged,
    StopDeadline,
    TryAgain,
    Tick,
    Stop,
    /// Whether it was done.
    Part(bool),
    /// The request of this number among those that can be made.
    Ask(usize),
}

impl Wish {
    fn is(self, step: &Step<Ask>, child: usize, ask: &mut usize) -> bool {
        match (self, step) {
            (Self::Tick, Step::Tick) => true,
            (Self::Started, Step::Input(Input::Started(who)))
            | (Self::StartFails, Step::Input(Input::StartFailed(who, _)))
            | (Self::Ignored, Step::Input(Input::Ignored(who)))
            | (Self::StopDeadline, Step::Input(Input::StopDeadline(who)))
            | (Self::TryAgain, Step::Input(Input::TryAgain(who)))
            | (Self::Ends, Step::Input(Input::Exited(who, ExitReason::Normal, true)))
            | (Self::Crashes, Step::Input(Input::Exited(who, ExitReason::Killed, true)))
            | (Self::CrashesUncharged, Step::Input(Input::Exited(who, _, false))) => *who == child,
            (Self::Stop, Step::Input(Input::Stop(_))) => true,
            (Self::Part(is), Step::Input(Input::PartDone(who, done))) => *who == child && is == *done,
            (Self::Ask(number), Step::Input(Input::Asked(_))) => {
                *ask += 1;
                *ask - 1 == number
            }
            _ => false,
        }
    }
}

fn wish() -> impl Strategy<Value = (Wish, usize)> {
    let kind = prop_oneof![
        30 => Just(Wish::Started),
        3 => Just(Wish::StartFails),
        2 => Just(Wish::Ignored),
        3 => Just(Wish::Ends),
        24 => Just(Wish::Crashes),
        6 => Just(Wish::CrashesUncharged),
        4 => Just(Wish::StopDeadline),
        8 => Just(Wish::TryAgain),
        4 => Just(Wish::Tick),
        1 => (0..40_u8).prop_map(|dice| if dice == 0 { Wish::Stop } else { Wish::Started }),
        10 => (0..14_usize).prop_map(Wish::Ask),
        2 => (14..60_usize).prop_map(Wish::Ask),
        6 => any::<bool>().prop_map(Wish::Part),
    ];
    (kind, any::<usize>())
}

fn rules() -> impl Strategy<Value = Rules> {
    let restart = prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(2)];
    let child = (restart, 0..3_usize, any::<bool>());
    let autos = [
        AutoShutdown::Never,
        AutoShutdown::Never,
        AutoShutdown::AnySignificant,
        AutoShutdown::AllSignificant,
    ];
    // Restarts enough to go on for long, mostly.
    let limit = prop_oneof![1 => 0..6_u32, 4 => 60..400_u32];
    let auto = (0..autos.len()).prop_map(move |at| autos[at]);
    (0..3_usize, limit, auto, 0..2_usize, prop::collection::vec(child, 1..5)).prop_map(
        |(strategy, limit, auto, shutdowns, children)| {
            let child = |(number, (restart, shutdown, significant)): (usize, (usize, usize, bool))| {
                let restart = RESTARTS[restart];
                let may_be = auto != AutoShutdown::Never && restart != Restart::Permanent;
                let shutdown = SHUTDOWNS[shutdowns][shutdown];
                let significant = significant && may_be;
                ChildRules { restart, shutdown, significant, ..ChildRules::worker(&number.to_string()) }
            };
            let children = children.into_iter().enumerate().map(child).collect();
            Rules::new(STRATEGIES[strategy], limit, PERIOD, auto, children).expect("valid")
        },
    )
}

/// How many events it came to.
fn walk(rules: &Rules, wishes: &[(Wish, usize)]) -> Result<u64, String> {
    let (slots, mut supervision, mut world) = beginning(rules);
    world.uncharged = true;
    world.most_asks = 60;
    world.most_ticks = u8::MAX;
    world.changes = live::changes(rules);
    let mut case = Case::new(rules, &slots);
    case.step(Event::Start, &mut supervision, &mut world);
    for (wish, child) in wishes {
        // A start that fails before the supervisor is up ends it; short sequences show that.
        if !world.ready && matches!(wish, Wish::StartFails | Wish::Ends | Wish::Stop) {
            continue;
        }
        // Whoever stands has one of the last places, after a change at the latest.
        let places = world.processes.len();
        let child = places - 1 - child % places.min(8);
        let mut ask = 0;
        match world.steps().into_iter().find(|step| wish.is(step, child, &mut ask)) {
            None => {}
            Some(Step::Tick) => world.tick(),
            Some(Step::Input(input)) => case.try_input(input, &mut supervision, &mut world)?,
        }
    }
    Ok(case.tally.events)
}

#[test]
fn long_walks_by_chance_agree_with_the_reference() {
    let (events, longest) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig {
        cases: 160,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Default::default()
    };
    proptest!(config, |(rules in rules(), wishes in prop::collection::vec(wish(), 50..900))| {
        let came = walk(&rules, &wishes).map_err(TestCaseError::fail)?;
        events.set(events.get() + came);
        longest.set(longest.get().max(came));
    });
    println!("{} events, {} in the longest walk", events.get(), longest.get());
    assert!(
        events.get() > 5_000 && longest.get() > 110,
        "{} events, the walks have lost their reach",
        events.get()
    );
}
