//! A state machine under a supervisor: a traffic light with a button for pedestrians, over most of a minute that takes no
//! time. What came of it is checked, and a wrong light is a failure.

use std::error::Error;
use std::time::Duration;

use minder::prelude::*;
use minder::statem::{Entered, Start, StateMachine, Transition, entered, keep, machine, next, start};

/// What the cars see.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cars {
    Green,
    Yellow,
    Red,
}

#[derive(Debug)]
enum Event {
    /// It is time for the next colour.
    Turn,
    /// A pedestrian is answered when she may walk.
    Button(Reply<&'static str>),
    /// Which colours there were, and from which second on.
    Seen(Reply<Vec<(u64, Cars)>>),
}

#[derive(Default)]
struct Light {
    seen: Vec<(u64, Cars)>,
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl StateMachine for Light {
    type State = Cars;
    type Event = Event;
    type Name = ();

    async fn init(&mut self, _: &mut Context<Event>) -> Result<Start<Self>, ExitReason> {
        Ok(start(Cars::Green))
    }

    async fn enter(
        &mut self,
        _: &Cars,
        cars: &Cars,
        context: &mut Context<Event>,
    ) -> Result<Entered<Self>, ExitReason> {
        self.seen.push((context.now().since_start().as_secs(), *cars));
        let lasts = match cars {
            Cars::Green => secs(20),
            Cars::Yellow => secs(3),
            Cars::Red => secs(10),
        };
        Ok(entered().state_timeout(lasts, Event::Turn))
    }

    async fn handle(
        &mut self,
        cars: &Cars,
        event: Event,
        _: &mut Context<Event>,
    ) -> Result<Transition<Self>, ExitReason> {
        Ok(match (cars, event) {
            (Cars::Green, Event::Turn) => next(Cars::Yellow),
            (Cars::Yellow, Event::Turn) => next(Cars::Red),
            (Cars::Red, Event::Turn) => next(Cars::Green),
            // Somebody waits, so the cars have five more seconds. The button is handled when they have red.
            (Cars::Green, button @ Event::Button(_)) => {
                keep().state_timeout(secs(5), Event::Turn).postpone(button)
            }
            (Cars::Yellow, button @ Event::Button(_)) => keep().postpone(button),
            (Cars::Red, Event::Button(reply)) => keep().reply(reply, "walk"),
            (_, Event::Seen(reply)) => keep().reply(reply, self.seen.clone()),
        })
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "pedestrians are the world outside, and no actors")]
async fn main() -> Result<(), Box<dyn Error>> {
    let system = System::new()?;
    let (light, seat) = system.address();
    let tree = one_for_one().child(actor_in("light", seat, || machine(Light::default())));
    tree.start(&system, "crossing").await?;

    let mut walked = Vec::new();
    for pause in [secs(2), secs(5)] {
        tokio::time::sleep(pause).await;
        let answer = light.ask_within(secs(60), Event::Button).await?;
        walked.push((system.now().since_start().as_secs(), answer));
    }
    tokio::time::sleep(secs(30)).await;
    let seen = light.ask(Event::Seen).await?;

    println!("the cars saw {seen:?}");
    println!("pedestrians heard {walked:?}");
    let due = [
        (0, Cars::Green),
        (7, Cars::Yellow),
        (10, Cars::Red),
        (20, Cars::Green),
        (40, Cars::Yellow),
        (43, Cars::Red),
    ];
    if seen != due || walked != [(10, "walk"), (15, "walk")] {
        return Err("the light is wrong".into());
    }
    if !system.shutdown(secs(5)).await.is_clean() {
        return Err("the crossing did not close in order".into());
    }
    Ok(())
}
