//! Random graphs of asks against a plain model of who waits for whom: whoever is told of a cycle was on one, and nobody
//! is left in one. An actor here is stuck if everybody it can reach waits too.

use std::collections::{BTreeMap, BTreeSet};

use minder::prelude::*;
use proptest::prelude::*;
use tokio::sync::mpsc;

use crate::support::*;

/// How many actors there are.
const ACTORS: usize = 6;
const NAMES: [&str; ACTORS] = ["a", "b", "c", "d", "e", "f"];

#[derive(Clone, Debug)]
enum Step {
    /// One that waits for nobody asks all of these at once, and goes on with the first answer or with all of them.
    Ask { who: usize, whom: Vec<usize>, first: bool },
    /// One that waits for nobody ends its handler and answers whoever has asked it.
    Finish(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let actor = || 0..ACTORS;
    let whom = proptest::collection::btree_set(actor(), 1..=3);
    prop_oneof![
        4 => (actor(), whom, any::<bool>())
            .prop_map(|(who, whom, first)| Step::Ask { who, whom: whom.into_iter().collect(), first }),
        1 => actor().prop_map(Step::Finish),
    ]
}

/// What the test orders an actor that is inside a handler.
enum Order {
    Ask(Vec<Addr<Msg>>, bool),
    Finish,
}

/// What the actor tells of it: which of its asks ended, and how.
#[derive(Debug)]
struct Ended {
    who: usize,
    whom: usize,
    outcome: Result<(), Vec<usize>>,
}

fn answer(reply: Reply<u32>) -> Msg {
    act(|_, _| {
        let _ = reply.send(1);
        Ok(())
    })
}

/// A handler that obeys orders until it is to finish.
fn obeying(
    who: usize,
    mut orders: mpsc::UnboundedReceiver<Order>,
    tell: mpsc::UnboundedSender<Ended>,
) -> Msg {
    wait(move |_, _| {
        Box::pin(async move {
            while let Some(Order::Ask(whom, first)) = orders.recv().await {
                let mut asks: Vec<_> = whom
                    .iter()
                    .map(|address| {
                        let index = NAMES.iter().position(|name| *name == &*address.path());
                        let (address, tell) = (address.clone(), tell.clone());
                        let whom = index.expect("it is one of them");
                        Box::pin(async move {
                            let outcome = match address.ask(answer).await {
                                Ok(_) => Ok(()),
                                Err(AskError::WouldDeadlock(cycle)) => Err(cycle
                                    .paths()
                                    .iter()
                                    .map(|path| NAMES.iter().position(|name| *name == &**path))
                                    .map(|index| index.expect("it is one of them"))
                                    .collect()),
                                Err(error) => panic!("{error}"),
                            };
                            let _ = tell.send(Ended { who, whom, outcome });
                        })
                    })
                    .collect();
                std::future::poll_fn(|cx| {
                    let before = asks.len();
                    asks.retain_mut(|ask| ask.as_mut().poll(cx).is_pending());
                    let done = asks.is_empty() || (first && asks.len() < before);
                    if done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
                })
                .await;
            }
            Ok(())
        })
    })
}

/// Who waits for whom.
#[derive(Default)]
struct Model {
    waits: BTreeMap<usize, (BTreeSet<usize>, bool)>,
}

impl Model {
    /// Everybody whom this one can reach, if all of them wait.
    fn stuck_with(&self, who: usize) -> Option<BTreeSet<usize>> {
        let (mut known, mut next) = (BTreeSet::from([who]), vec![who]);
        while let Some(at) = next.pop() {
            for whom in &self.waits.get(&at)?.0 {
                if known.insert(*whom) {
                    next.push(*whom);
                }
            }
        }
        Some(known)
    }

    /// One of the waits is over; whether its actor goes on.
    fn end(&mut self, who: usize, whom: usize) {
        let Some((waits, first)) = self.waits.get_mut(&who) else { return };
        waits.remove(&whom);
        if *first || waits.is_empty() {
            self.waits.remove(&who);
        }
    }

    fn has_cycle(&self, path: &[usize]) -> bool {
        let next = path.iter().cycle().skip(1);
        path.iter().zip(next).all(|(who, whom)| self.waits.get(who).is_some_and(|(to, _)| to.contains(whom)))
    }
}

async fn run(steps: &[Step]) -> Result<usize, TestCaseError> {
    let system = system();
    let mut actors = Vec::new();
    for name in NAMES {
        actors.push(named(&system, name).await);
    }
    // All tell in one channel, so that what they tell comes in order.
    let (tell, mut told) = mpsc::unbounded_channel();
    let begin = |who: usize| {
        let (order, orders) = mpsc::unbounded_channel();
        actors[who].tell(obeying(who, orders, tell.clone())).expect("there is room");
        order
    };
    let mut ends: Vec<_> = (0..ACTORS).map(begin).collect();
    turns().await;
    let mut model = Model::default();
    let mut cycles = 0;
    for step in steps {
        match step {
            Step::Ask { who, whom, first } if !model.waits.contains_key(who) => {
                let addresses = whom.iter().map(|whom| actors[*whom].clone()).collect();
                ends[*who].send(Order::Ask(addresses, *first)).expect("it is in its handler");
                model.waits.insert(*who, (whom.iter().copied().collect(), *first));
            }
            Step::Finish(who) if !model.waits.contains_key(who) => {
                ends[*who].send(Order::Finish).expect("it is in its handler");
                // Whoever asked it stands before this in its lane.
                turns().await;
                ends[*who] = begin(*who);
            }
            _ => continue,
        }
        turns().await;
        while let Ok(Ended { who, whom, outcome }) = told.try_recv() {
            if let Err(path) = outcome {
                prop_assert!(model.stuck_with(who).is_some(), "{who} was told {path:?} but can go on");
                prop_assert_eq!(path[0], who);
                prop_assert!(model.has_cycle(&path), "{:?} is no cycle", path);
                cycles += 1;
            }
            model.end(who, whom);
        }
        for who in 0..ACTORS {
            prop_assert!(model.stuck_with(who).is_none(), "{who} is left in a cycle after {step:?}");
        }
    }
    Ok(cycles)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_is_told_was_on_a_cycle_and_nobody_is_left_in_one(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime can be made").block_on(run(&steps))?;
    }
}

/// The property above says nothing if no cycle ever closes.
#[tokio::test(start_paused = true)]
async fn the_model_meets_cycles() {
    let ask = |who, whom: &[usize], first| Step::Ask { who, whom: whom.to_vec(), first };
    let steps = [
        ask(0, &[1, 2], false),
        ask(1, &[0], false), // 0 may still hear from 2
        Step::Finish(2),     // and then waits for 1 alone
        ask(3, &[4], true),
        ask(4, &[3, 5], true),
        ask(5, &[5], true),
    ];
    assert_eq!(run(&steps).await.expect("it holds"), 2);
}
