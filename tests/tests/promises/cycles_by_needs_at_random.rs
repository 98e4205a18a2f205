//! Random asks among children of one supervisor by needs, and random requests to it, against a plain model of who waits for
//! whom: whoever is told of a cycle was on one, and nobody is left in one. A stop waits for one child; a change for all that are
//! on the move, and each of them is enough to keep it.

use std::collections::{BTreeMap, BTreeSet};

use minder::prelude::*;
use minder::supervisors::{ApplyError, TerminateChildError, Unavailable, by_needs};
use proptest::prelude::*;
use tokio::sync::mpsc;

use crate::support::*;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Ask(usize),
    Stop(usize),
    Change,
}

#[derive(Clone, Debug)]
enum Step {
    /// One that waits for nobody begins all of these at once, and goes on with the first that is over.
    Begin(usize, Vec<What>),
    /// One that waits for nobody ends its handler, answers whoever has asked it, and goes if it has been told to.
    Finish(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let actor = || 0..NAMES.len();
    let what = prop_oneof![
        3 => actor().prop_map(What::Ask),
        2 => actor().prop_map(What::Stop),
        1 => Just(What::Change),
    ];
    prop_oneof![
        3 => (actor(), proptest::collection::btree_set(what, 1..=2))
            .prop_map(|(who, what)| Step::Begin(who, what.into_iter().collect())),
        1 => actor().prop_map(Step::Finish),
    ]
}

/// What became of something that an actor began: done, or the cycle that it was told.
#[derive(Debug)]
struct Ended {
    who: usize,
    what: What,
    outcome: Result<(), Vec<usize>>,
}

/// Those on a cycle, without the supervisor.
fn told(cycle: &minder::Cycle) -> Vec<usize> {
    let child = |path: &std::sync::Arc<str>| {
        let name = path.strip_prefix("top/")?;
        Some(NAMES.iter().position(|known| *known == name).expect("it is one of them"))
    };
    cycle.paths().iter().filter_map(child).collect()
}

/// What all of them reach.
#[derive(Clone)]
struct World {
    root: Root,
    spec: Spec,
    actors: Vec<Addr<Msg>>,
    tell: mpsc::UnboundedSender<Ended>,
}

impl World {
    async fn carry_out(self, who: usize, what: What) {
        let ask = |reply| {
            act(|_, _| {
                let _ = Reply::send(reply, 1_u32);
                Ok(())
            })
        };
        let stuck = match what {
            What::Ask(whom) => match self.actors[whom].ask(ask).await {
                Ok(_) => None,
                Err(AskError::WouldDeadlock(cycle)) => Some(cycle),
                Err(error) => panic!("{error}"),
            },
            What::Stop(whom) => match self.root.terminate_child(NAMES[whom]).await {
                Ok(()) => None,
                Err(TerminateChildError::Unavailable(Unavailable::WouldDeadlock(cycle))) => Some(cycle),
                Err(error) => panic!("{error}"),
            },
            What::Change => match self.root.apply(self.spec.clone()).await {
                Ok(()) => None,
                Err(ApplyError::Unavailable(Unavailable::WouldDeadlock(cycle))) => Some(cycle),
                Err(error) => panic!("{error}"),
            },
        };
        let outcome = stuck.map_or(Ok(()), |cycle| Err(told(&cycle)));
        let _ = self.tell.send(Ended { who, what, outcome });
    }

    /// Has one of them obey orders, inside of a handler, until there are none.
    fn occupy(&self, who: usize) -> mpsc::UnboundedSender<Vec<What>> {
        let (order, mut orders) = mpsc::unbounded_channel::<Vec<What>>();
        let world = self.clone();
        let obeying = wait(move |_, _| {
            Box::pin(async move {
                while let Some(all) = orders.recv().await {
                    let begin = |what: What| Box::pin(world.clone().carry_out(who, what));
                    let mut begun: Vec<_> = all.into_iter().map(begin).collect();
                    let before = begun.len();
                    std::future::poll_fn(|cx| {
                        begun.retain_mut(|one| one.as_mut().poll(cx).is_pending());
                        if begun.len() < before {
                            std::task::Poll::Ready(())
                        } else {
                            std::task::Poll::Pending
                        }
                    })
                    .await;
                }
                Ok(())
            })
        });
        self.actors[who].tell(obeying).expect("there is room");
        order
    }
}

/// Who waits for what, and who has been told to go and has not.
#[derive(Default)]
struct Model {
    waits: BTreeMap<usize, BTreeSet<What>>,
    going: BTreeSet<usize>,
}

impl Model {
    /// Everybody who will never go on: all that it waits for is up to those who will not either.
    fn stuck(&self) -> BTreeSet<usize> {
        let mut stuck: BTreeSet<usize> = self.waits.keys().copied().collect();
        loop {
            let is_stuck = |who: &usize| {
                self.waits[who].iter().all(|what| match what {
                    What::Ask(whom) | What::Stop(whom) => stuck.contains(whom),
                    What::Change => self.going.iter().any(|going| stuck.contains(going)),
                })
            };
            let left: BTreeSet<usize> = stuck.iter().copied().filter(is_stuck).collect();
            if left == stuck {
                return left;
            }
            stuck = left;
        }
    }

    fn waits_for(&self, who: usize, whom: usize) -> bool {
        self.waits.get(&who).is_some_and(|waits| {
            waits.iter().any(|what| match what {
                What::Ask(one) | What::Stop(one) => *one == whom,
                What::Change => self.going.contains(&whom),
            })
        })
    }

    fn begin(&mut self, who: usize, what: &[What]) {
        self.waits.insert(who, what.iter().copied().collect());
        for what in what {
            if let What::Stop(whom) = what {
                self.going.insert(*whom);
            }
        }
    }
}

async fn run(steps: &[Step]) -> Result<usize, TestCaseError> {
    let system = system();
    let (actors, seats): (Vec<_>, Vec<_>) = NAMES.iter().map(|_| system.address::<Msg>()).unzip();
    let (note, _reader) = journal();
    let children = NAMES.iter().zip(seats).map(|(name, seat)| {
        let note = note.clone();
        actor_in(name, seat, move || Puppet::new("it", &note).trapping()).shutdown(Shutdown::Infinity)
    });
    let spec = by_needs().children(children);
    let root = spec.clone().start(&system, "top").await.expect("all start");
    // All tell in one channel, so that what they tell comes in order.
    let (tell, mut told) = mpsc::unbounded_channel();
    let world = World { root, spec, actors, tell };
    let mut orders: Vec<_> = (0..NAMES.len()).map(|who| world.occupy(who)).collect();
    turns().await;
    let (mut model, mut cycles) = (Model::default(), 0);
    for step in steps {
        match step {
            Step::Begin(who, what) if !model.waits.contains_key(who) => {
                model.begin(*who, what);
                orders[*who].send(what.clone()).expect("it is in its handler");
            }
            Step::Finish(who) if !model.waits.contains_key(who) => {
                let (order, _) = mpsc::unbounded_channel();
                orders[*who] = order;
                turns().await;
                if model.going.remove(who) && !world.actors[*who].is_alive() {
                    // A change that waited for it may have started it again.
                    world.root.restart_child(NAMES[*who]).await.expect("it is down");
                }
                // Whoever asked it stands before this in its lane.
                orders[*who] = world.occupy(*who);
            }
            _ => continue,
        }
        turns().await;
        while let Ok(Ended { who, what, outcome }) = told.try_recv() {
            if let Err(path) = outcome {
                prop_assert!(model.stuck().contains(&who), "{who} was told {path:?} but can go on: {step:?}");
                prop_assert_eq!(path[0], who);
                let next = path.iter().cycle().skip(1);
                let is_cycle = path.iter().zip(next).all(|(who, whom)| model.waits_for(*who, *whom));
                prop_assert!(is_cycle, "{:?} is no cycle: {:?}", path, what);
                cycles += 1;
            }
            model.waits.remove(&who);
        }
        let stuck = model.stuck();
        prop_assert!(stuck.is_empty(), "{stuck:?} are left in a cycle after {step:?}");
    }
    Ok(cycles)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_is_told_through_a_supervisor_was_on_a_cycle_and_nobody_is_left_in_one(
        steps in proptest::collection::vec(step(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime can be made").block_on(run(&steps))?;
    }
}

/// The property above says nothing if no cycle ever closes.
#[tokio::test(start_paused = true)]
async fn the_model_meets_cycles_through_the_supervisor() {
    use What::{Ask, Change, Stop};
    let begin = |who, what: &[What]| Step::Begin(who, what.to_vec());
    let steps = [
        begin(0, &[Stop(1)]),
        begin(1, &[Change]), // for itself
        begin(1, &[Ask(0)]), // which waits for its end
        begin(2, &[Change]), // for `b`, which may go on
        begin(1, &[Ask(2)]), // which waits for its end
        begin(3, &[Ask(2), Stop(4)]),
        begin(4, &[Ask(3)]), // which waits for `c`, whose change waits for it
    ];
    assert_eq!(run(&steps).await.expect("it holds"), 4);
}
