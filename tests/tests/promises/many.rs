//! One question to many: what each of them said is visible, and whoever is not needed any more does not work for it.

use std::time::Duration;

use minder::prelude::*;
use minder::{AskMany, ask_many};

use crate::asks::{Outcome, text};
use crate::support::*;

/// What one of the asked does.
#[derive(Clone, Copy, Debug)]
enum Way {
    Answers,
    AnswersAfter(u64),
    Crashes,
    Forgets,
}
use Way::{Answers, AnswersAfter, Crashes, Forgets};

async fn actors<const N: usize>(system: &System) -> [Addr<Msg>; N] {
    let mut all = Vec::new();
    for _ in 0..N {
        all.push(system.spawn(|| Puppet::new("it", &journal().0)).expect("open"));
    }
    all.try_into().expect("as many as were made")
}

fn ask_these(whom: &[Addr<Msg>], ways: &[Way]) -> AskMany<Msg, u32> {
    let ways = ways.to_vec();
    ask_many(whom, move |at| {
        let way = ways[at];
        move |reply: Reply<u32>| {
            wait(move |_, context| {
                Box::pin(async move {
                    let number = u32::try_from(at).expect("few");
                    match way {
                        Answers => _ = reply.send(number),
                        AnswersAfter(ms) => {
                            context.sleep(Duration::from_millis(ms)).await;
                            _ = reply.send(number);
                        }
                        Crashes => {
                            let _in_hand = reply;
                            panic!("boom")
                        }
                        Forgets => drop(reply),
                    }
                    Ok(())
                })
            })
        }
    })
}

fn texts(outcomes: Vec<Outcome>) -> Vec<String> {
    outcomes.iter().map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn all_of_them_each_with_what_became_of_it() {
    let system = system();
    let them = actors::<4>(&system).await;
    let outcomes = ask_these(&them, &[AnswersAfter(9), Crashes, Answers, Forgets]).all().await;
    assert_eq!(texts(outcomes), ["answer 0", "crashed panic boom", "answer 2", "no reply"]);
    // One deadline for all of them.
    let them = actors::<3>(&system).await;
    let began = system.now();
    let asked = ask_these(&them, &[AnswersAfter(900), AnswersAfter(99), AnswersAfter(9000)]);
    let outcomes = asked.within(Duration::from_millis(500)).all().await;
    assert_eq!(texts(outcomes), ["timed out", "answer 1", "timed out"]);
    assert!(system.now().since(began).as_millis() <= 506);
    assert!(ask_these(&[], &[]).all().await.is_empty());
}

/// OTP: GS-029, NEW-011.
#[tokio::test(start_paused = true)]
async fn the_first_answer_and_nobody_works_for_the_others_any_more() {
    let system = system();
    let them = actors::<4>(&system).await;
    // One that is busy, and would come to the question later.
    them[3]
        .tell(wait(|_, context| {
            Box::pin(async move {
                context.sleep(SECOND).await;
                Ok(())
            })
        }))
        .expect("there is room");
    turns().await;
    let began = system.now();
    let first = ask_these(&them, &[AnswersAfter(400), Crashes, AnswersAfter(50), Answers]).first().await;
    assert_eq!(first.expect("one answers"), (2, 2));
    assert!(system.now().since(began).as_millis() <= 56);
    pass(2 * SECOND).await;
    assert_eq!(them[3].statistics().skipped, 1);
    assert_eq!(them[0].statistics().handled, 1); // it had begun

    let them = actors::<2>(&system).await;
    let nobody = ask_these(&them, &[Crashes, Forgets]).first().await.expect_err("nobody answers");
    assert_eq!(texts(nobody.into_iter().map(Err).collect()), ["crashed panic boom", "no reply"]);
    assert!(ask_these(&[], &[]).first().await.is_err_and(|errors| errors.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_quorum_is_there_or_impossible_as_soon_as_can_be() {
    // How many are needed, of whom; which answered, or which failed; after how long.
    type Row = (usize, &'static [Way], Result<&'static [usize], &'static [usize]>, u128);
    let rows: [Row; 6] = [
        (0, &[Answers], Ok(&[]), 0),
        (2, &[AnswersAfter(300), AnswersAfter(100), AnswersAfter(200)], Ok(&[1, 2]), 200),
        (2, &[Crashes, AnswersAfter(100), AnswersAfter(200)], Ok(&[1, 2]), 200),
        (2, &[Crashes, AnswersAfter(100), Forgets], Err(&[0, 2]), 0),
        (3, &[AnswersAfter(100), AnswersAfter(100), Crashes], Err(&[2]), 0),
        (2, &[Answers], Err(&[]), 0),
    ];
    for (needed, ways, expected, after) in rows {
        let system = system();
        let them = &actors::<3>(&system).await[..ways.len()];
        let began = system.now();
        let got = ask_these(them, ways).quorum(needed).await;
        let took = system.now().since(began).as_millis();
        assert!((after..=after + 6).contains(&took), "{needed} of {ways:?}: after {took} ms");
        match (got, expected) {
            (Ok(answers), Ok(expected)) => {
                let places: Vec<usize> = answers.iter().map(|(at, _)| *at).collect();
                assert_eq!(places, expected, "{needed} of {ways:?}");
                assert!(answers.iter().all(|(at, answer)| *at == *answer as usize));
            }
            (Err(short), Err(expected)) => {
                let places: Vec<usize> = short.failures.iter().map(|(at, _)| *at).collect();
                assert_eq!(places, expected, "{needed} of {ways:?}");
            }
            (got, _) => panic!("{needed} of {ways:?}: {got:?}"),
        }
    }
}

/// Several edges of one handler: see `cycles.rs`.
#[tokio::test(start_paused = true)]
async fn an_actor_that_asks_many_is_part_of_a_cycle_only_if_none_of_them_can_answer() {
    let system = system();
    let (journal, mut reader) = journal();
    let a = named_with(&system, "a", &journal, Default::default()).await;
    let [free] = actors::<1>(&system).await;
    let them = [a.clone(), free];
    a.tell(wait(move |puppet, _| {
        Box::pin(async move {
            let outcomes = ask_these(&them, &[Answers, AnswersAfter(100)]).all().await;
            puppet.note(texts(outcomes).join(", "));
            Ok(())
        })
    }))
    .expect("there is room");
    reader.expect(&["a up", "a would deadlock: a -> a, answer 1"]).await;
}
