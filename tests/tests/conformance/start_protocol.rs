//! How a start goes, and what whoever started it finds when it hears of that. Rows GS-001 to GS-003, PRL.

use std::sync::Arc;
use std::time::Duration;

use minder::prelude::*;
use minder::{ChildEvent, MailboxOptions, Recipe, StartOptions};

use crate::support::*;

/// What happens in a start.
#[derive(Clone, Copy, Debug)]
enum Start {
    Works,
    Slow,
    FactoryFails,
    FactoryPanics,
    Fails,
    Panics,
    /// `Err(Normal)`: a start that ends so has failed all the same.
    SaysNormal,
    /// There is nothing to run.
    Ignores,
    Hangs,
}

impl Actor for Start {
    type Msg = Reply<()>;

    async fn started(&mut self, context: &mut Context<Self::Msg>) -> Handled {
        match self {
            Self::Fails => return Err(Plain("no").into()),
            Self::Panics => panic!("boom"),
            Self::SaysNormal => return Err(ExitReason::Normal),
            Self::Ignores => context.ignore(),
            Self::Slow => context.sleep(SECOND).await,
            Self::Hangs => std::future::pending().await,
            Self::Works | Self::FactoryFails | Self::FactoryPanics => {}
        }
        Ok(())
    }

    async fn handle(&mut self, reply: Reply<()>, _: &mut Context<Self::Msg>) -> Handled {
        let _ = reply.send(());
        Ok(())
    }
}

fn make(start: Start) -> Result<Start, ExitReason> {
    match start {
        Start::FactoryFails => Err(Plain("none").into()),
        Start::FactoryPanics => panic!("factory"),
        other => Ok(other),
    }
}

/// Starts one under a name, and notes the news with who lives and which names are taken at that moment.
struct Starter(Start, Option<Duration>, Journal);

impl Actor for Starter {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.trap_exit(true);
        let start = self.0;
        let recipe = Recipe::own_seat(move || make(start), MailboxOptions::default());
        let mut options = StartOptions::named("it");
        options.registered = Some(Arc::from("it"));
        options.handler_limit = self.1;
        context.start(&recipe, options)?;
        Ok(())
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, context: &mut Context<()>) -> Handled {
        let news = match notice {
            Notice::Child(news) => match news.event {
                ChildEvent::Started => "started".to_owned(),
                ChildEvent::Ignored => "nothing to run".to_owned(),
                ChildEvent::StartFailed(ExitReason::Hung(_)) => "failed: hung".to_owned(),
                ChildEvent::StartFailed(reason) => format!("failed: {}", short(&reason)),
                other => format!("{other:?}"),
            },
            other => format!("{other:?}"),
        };
        let is_named = context.system().whereis::<Reply<()>>("it").is_ok();
        self.2.note(format!("{news}; living {}, named {is_named}", context.system().living()));
        Ok(())
    }
}

/// One piece of news for each start, when it is over; of one that failed nothing is left by then, and nothing comes later.
/// OTP: GS-001, GS-002, GS-003, PRL-001, PRL-002, NEW-001.
#[test]
fn whoever_starts_it_hears_how_that_went_when_it_is_over() {
    use Start::{FactoryFails, FactoryPanics, Fails, Hangs, Ignores, Panics, SaysNormal, Slow, Works};
    // how it goes, its limit, what is heard, after how many seconds; the starter lives too
    let rows: [(Start, Option<Duration>, &str, u64); 9] = [
        (Works, None, "started; living 2, named true", 0),
        (Slow, None, "started; living 2, named true", 1),
        (FactoryFails, None, "failed: error: none; living 1, named false", 0),
        (FactoryPanics, None, "failed: panic factory; living 1, named false", 0),
        (Fails, None, "failed: error: no; living 1, named false", 0),
        (Panics, None, "failed: panic boom; living 1, named false", 0),
        (SaysNormal, None, "failed: normal; living 1, named false", 0),
        (Ignores, None, "nothing to run; living 1, named false", 0),
        (Hangs, Some(3 * SECOND), "failed: hung; living 1, named false", 3),
    ];
    everywhere(|| async {
        for (start, limit, expected, seconds) in &rows {
            let system = system();
            let (journal, mut reader) = journal();
            let (start, limit) = (*start, *limit);
            let began = system.now();
            let _starter = system.spawn(move || Starter(start, limit, journal)).expect("open");
            let heard = reader.next().await;
            assert_eq!(heard, *expected, "{start:?}");
            assert_eq!(system.now().since(began).as_secs(), *seconds, "{start:?}");
            pass(10 * SECOND).await;
            assert!(reader.rest().is_empty(), "{start:?}: nothing comes after that");
        }
    });
}

/// The same of a start that one waits for, outside of actors.
/// OTP: GS-001, GS-003, PRL-001.
#[tokio::test(start_paused = true)]
async fn a_start_that_is_waited_for_answers_with_the_reason() {
    use Start::{FactoryFails, FactoryPanics, Fails, Ignores, Panics, Slow, Works};
    let rows: [(Start, Result<(), &str>, u64); 7] = [
        (Works, Ok(()), 0),
        (Slow, Ok(()), 1),
        (FactoryFails, Err("error: none"), 0),
        (FactoryPanics, Err("panic factory"), 0),
        (Fails, Err("error: no"), 0),
        (Panics, Err("panic boom"), 0),
        (Ignores, Err("normal"), 0),
    ];
    for (start, expected, seconds) in rows {
        let system = system();
        let (it, seat) = system.address();
        let began = system.now();
        let answer = system.start(seat, "it", move || make(start)).await;
        assert_eq!(system.now().since(began).as_secs(), seconds, "{start:?}");
        let told = answer.as_ref().map(drop).map_err(|error| short(&error.clone().into_reason()));
        assert_eq!(told, expected.map_err(str::to_owned), "{start:?}");
        assert_eq!((it.is_alive(), system.living()), (expected.is_ok(), usize::from(expected.is_ok())));
        let asked = it.ask(|reply| reply).await;
        assert_eq!(asked.is_ok(), expected.is_ok(), "{start:?}");
    }
}
