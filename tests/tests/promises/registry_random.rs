//! Names under fire: registers, crashes, final ends and restarts in any order, in a simulated world that is scheduled by
//! chance. Two promises: a name never leads to a seat whose end somebody has heard of; a name is never lost on a mere restart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use minder::WhereisError;
use minder::prelude::*;
use minder_fault_injection::testkit::Kit;

use crate::support::{Msg, Puppet, crash, end, journal, tolerant};

const NAMES: [&str; 3] = ["x", "y", "z"];

/// What the clients have done and heard: who is to have which name, as far as they know.
#[derive(Clone, Default)]
struct Known(Arc<Mutex<BTreeMap<u64, &'static str>>>);

impl Known {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, &'static str>> {
        self.0.lock().expect("no test panics while it holds this")
    }
}

fn cell(address: &Addr<Msg>) -> u64 {
    address.id().cell()
}

/// Somebody who does things to actors and names, and looks at each step whether what it knows holds.
async fn client(kit: Kit, lasting: Vec<Addr<Msg>>, heard: Known, named: Known) {
    let system = kit.system().clone();
    let pick = |bound: usize| usize::try_from(kit.random() % bound as u64).expect("small");
    let looks_right = || {
        for name in NAMES {
            match system.whereis::<Msg>(name) {
                Ok(address) => {
                    assert!(!heard.lock().contains_key(&cell(&address)), "`{name}` leads to the dead");
                    assert_eq!(address.registered_name().as_deref(), Some(name));
                }
                Err(WhereisError::Unknown(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        for (cell, name) in &*named.lock() {
            let address = system.whereis::<Msg>(name).expect("a name is not lost on a restart");
            assert_eq!(address.id().cell(), *cell, "`{name}` leads to another");
        }
    };
    for _ in 0..25 {
        let name = NAMES[pick(NAMES.len())];
        match pick(6) {
            // One that ends for good: started, named if it can be, ended, and heard of.
            0 | 1 => {
                let it = system.spawn(|| Puppet::new("it", &journal().0)).expect("open");
                let is_named = system.register(name, &it).is_ok();
                if pick(2) == 0 {
                    tokio::task::yield_now().await;
                }
                match pick(3) {
                    0 => drop(it.tell(end(ExitReason::Normal))),
                    1 => drop(it.tell(crash())),
                    _ => drop(it.kill()),
                }
                if pick(2) == 0 {
                    it.ended().await;
                } else {
                    while !matches!(it.tell(Msg::Mark(0)), Err(TellError::Stopped(..))) {
                        tokio::task::yield_now().await;
                    }
                }
                heard.lock().insert(cell(&it), name);
                if is_named {
                    assert_eq!(it.registered_name(), None);
                }
            }
            // The same by its start, whose seat goes with it.
            2 => {
                let none = || Err::<Puppet, ExitReason>(ExitReason::other("none"));
                let fails = pick(2) == 0;
                let it = match fails {
                    true => system.ensure(name, none),
                    false => system.ensure(name, || Puppet::new("it", &journal().0)),
                };
                let it = it.expect("it is of this kind");
                let is_lasting = lasting.contains(&it);
                if !is_lasting {
                    it.kill();
                    it.ended().await;
                    heard.lock().insert(cell(&it), name);
                }
            }
            // One that lasts takes a name, and has it from then on.
            3 => {
                let it = &lasting[pick(lasting.len())];
                if system.register(name, it).is_ok() {
                    named.lock().insert(cell(it), name);
                }
            }
            // And crashes, between two messages or in one.
            4 | 5 => {
                let it = &lasting[pick(lasting.len())];
                if pick(2) == 0 {
                    it.kill();
                } else {
                    drop(it.tell(crash()));
                }
            }
            _ => unreachable!("there are six"),
        }
        looks_right();
        if pick(2) == 0 {
            tokio::task::yield_now().await;
            looks_right();
        }
    }
}

#[minder_fault_injection::test(seeds = 150)]
async fn a_name_never_leads_to_the_dead_and_is_never_lost(kit: Kit) {
    let mut lasting = Vec::new();
    let mut spec = tolerant(one_for_one());
    for id in ["a", "b"] {
        let (address, seat) = kit.address();
        spec = spec.child(actor_in(id, seat, || Puppet::new("it", &journal().0)));
        lasting.push(address);
    }
    kit.start(spec).await;
    let (heard, named) = (Known::default(), Known::default());
    let clients = ["one", "two", "three", "four"]
        .map(|name| kit.spawn(name, client(kit.clone(), lasting.clone(), heard.clone(), named.clone())));
    for client in clients {
        client.await.expect("no promise was broken");
    }
    kit.settle().await;
    // Those that last have ended with their tree, and then nobody is left who has a name.
    kit.shutdown().await;
    assert!(kit.system().names().is_empty(), "{:?}", kit.system().names());
}
