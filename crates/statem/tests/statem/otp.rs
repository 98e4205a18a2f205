//! Machine by machine what OTP does: random machines, each with the order in which OTP's own `gen_statem` (OTP 25) handled its
//! events. Made by `otp/generate.escript`, which says how a line is read.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use minder_statem::{Timeout, Transition, When, keep, next};

use crate::script::*;

const MACHINES: &str = include_str!("otp/machines.txt");

/// What an event does at its first handling, its second and so on.
type Acts = HashMap<(char, u32), Vec<String>>;

fn acts(text: &str) -> Acts {
    let one = |line: &str| {
        let (event, acts) = line.split_once(':').expect("an event, a colon, acts");
        let mut event = event.chars();
        let name = event.next().expect("an event has a name");
        let time = event.as_str().parse().expect("and a number");
        ((name, time), acts.split(',').map(str::to_owned).collect())
    };
    text.split(';').filter(|line| !line.is_empty()).map(one).collect()
}

fn named(name: char) -> &'static str {
    let all = "abcdef";
    let at = all.find(name).expect("an event from a to f");
    &all[at..=at]
}

fn set(transition: Transition<Script>, which: char, when: When, event: char) -> Transition<Script> {
    match timeout(which) {
        Timeout::State => transition.state_timeout(when, ev(named(event))),
        Timeout::Event => transition.event_timeout(when, ev(named(event))),
        Timeout::Named(name) => transition.timeout(name, when, ev(named(event))),
    }
}

fn timeout(which: char) -> Timeout<u32> {
    match which {
        's' => Timeout::State,
        'e' => Timeout::Event,
        number => Timeout::Named(number.to_digit(10).expect("a number")),
    }
}

fn carry_out(state: S, event: Ev, acts: &[String]) -> Transition<Script> {
    let mut transition = if acts.iter().any(|act| act == "C") {
        let number: u32 = state.parse().unwrap_or(0);
        next(&*Box::leak((number + 1).to_string().into_boxed_str()))
    } else {
        keep()
    };
    for act in acts {
        transition = match act.chars().collect::<Vec<_>>()[..] {
            ['I', event] => transition.insert(ev(named(event))),
            ['S', which, event] => set(transition, which, When::After(Duration::ZERO), event),
            ['T', which, event] => set(transition, which, When::After(Duration::from_secs(60)), event),
            ['N', which, event] => set(transition, which, When::Never, event),
            ['U', which, event] => transition.update(timeout(which), ev(named(event))),
            ['X', which] => transition.cancel(timeout(which)),
            ['P' | 'C'] => transition,
            _ => panic!("{act} is no act"),
        };
    }
    if acts.iter().any(|act| act == "P") { transition.postpone(event) } else { transition }
}

/// OTP: STM-003, STM-004, STM-005, STM-011, STM-013, STM-014, STM-015.
#[tokio::test(start_paused = true)]
async fn every_machine_handles_its_events_in_the_order_of_otp() {
    let mut machines = 0;
    for line in MACHINES.lines() {
        let [inputs, does, handled] = line.split('|').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let does = acts(does);
        let times = Mutex::new(HashMap::<char, u32>::new());
        let it = run(script(move |state, event| {
            let name = event.name.chars().next().expect("an event has a name");
            let time = *times
                .lock()
                .expect("nobody panics with it")
                .entry(name)
                .and_modify(|time| *time += 1)
                .or_insert(1);
            carry_out(state, event, does.get(&(name, time)).map_or(&[], Vec::as_slice))
        }))
        .await;
        it.tell(&inputs.chars().map(named).collect::<Vec<_>>());
        let ours: String =
            it.lines().await.iter().filter_map(|line| line.split_once(':')).map(|(_, event)| event).collect();
        assert_eq!(ours, handled, "{line}");
        machines += 1;
    }
    assert!(machines >= 500, "{machines} machines");
}
