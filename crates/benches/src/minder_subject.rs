//! minder itself, with default settings: actors in mailboxes of 1,024 places, and senders that wait when they are full.
//! Beside `tokio_subject.rs` line by line: the same messages, handshakes and drivers. Where the two differ, a comment
//! says why.

use std::hint::black_box;
use std::pin::Pin;
use std::time::Duration;

use minder::prelude::*;

use crate::stopwatch::Stopwatch;
use crate::subject::{Countdown, Kept, Order, Run, Signal, Subject, bare_task};

#[derive(Debug)]
pub(crate) struct Minder;

impl Minder {
    pub(crate) const SUBJECT: Self = Self;
}

impl Subject for Minder {
    fn name(&self) -> &'static str {
        "minder"
    }

    fn tell(&self, messages: u64) -> Run {
        Box::pin(async move {
            let system = system();
            let (address, done) = adder(&system, messages).await;
            let watch = Stopwatch::start();
            for message in 0..messages {
                send(&address, message).await;
            }
            done.wait().await;
            finish(&system, &watch).await
        })
    }

    fn fan_in(&self, senders: u64, messages_each: u64) -> Run {
        Box::pin(async move {
            let system = system();
            let (address, done) = adder(&system, senders * messages_each).await;
            let watch = Stopwatch::start();
            for _ in 0..senders {
                let address = address.clone();
                bare_task(async move {
                    for message in 0..messages_each {
                        send(&address, message).await;
                    }
                });
            }
            done.wait().await;
            finish(&system, &watch).await
        })
    }

    fn ring(&self, receivers: usize, hops: u64) -> Run {
        Box::pin(async move {
            let system = system();
            let done = Signal::default();
            let (first, last) = system.address();
            let mut next = first.clone();
            for _ in 1..receivers {
                let ready = Signal::default();
                let relay = Relay { next, done: done.clone() };
                let started = ready.clone();
                next = spawn(&system, move || {
                    started.give();
                    relay
                });
                ready.wait().await;
            }
            let relay = Relay { next, done: done.clone() };
            system.start(last, "last", move || relay).await.expect("the last relay starts");

            let watch = Stopwatch::start();
            send(&first, hops - 1).await;
            done.wait().await;
            finish(&system, &watch).await
        })
    }

    fn ask(&self, asks: u64) -> Run {
        Box::pin(async move {
            let system = system();
            let ready = Signal::default();
            let started = ready.clone();
            let address = spawn(&system, move || {
                started.give();
                Successor
            });
            ready.wait().await;

            let watch = Stopwatch::start();
            for question in 0..asks {
                let answer = address.ask(|reply| (question, reply)).await;
                black_box(answer.expect("every question is answered"));
            }
            finish(&system, &watch).await
        })
    }

    fn spawn(&self, actors: usize) -> Run {
        Box::pin(async move {
            let system = system();
            let mut addresses = Vec::with_capacity(actors);
            let countdown = Countdown::new(actors);
            let watch = Stopwatch::start();
            for _ in 0..actors {
                addresses.push(spawn(&system, idler(&countdown)));
            }
            countdown.wait().await;
            let took = watch.read();
            for address in &addresses {
                address.kill();
            }
            for address in addresses {
                address.ended().await;
            }
            end(&system).await;
            took
        })
    }

    fn restart(&self, crashes: u64) -> Run {
        Box::pin(async move {
            let system = system();
            let handled = Signal::default();
            let (address, seat) = system.address();
            let signal = handled.clone();
            let crasher = actor_in("crasher", seat, move || Crasher { handled: signal.clone() });
            let tree = one_for_one().limit(u32::MAX, Duration::from_secs(1)).child(crasher);
            tree.start(&system, "restart").await.expect("a tree of one starts");
            send(&address, Order::Work).await;
            handled.wait().await;

            let watch = Stopwatch::start();
            for _ in 0..crashes {
                send(&address, Order::Crash).await;
                // The address outlives the crash, and the message waits for the next life: nobody has to see the end
                // and hand round another channel, as the driver of bare tasks must.
                send(&address, Order::Work).await;
                handled.wait().await;
            }
            finish(&system, &watch).await
        })
    }

    fn idle(&self, actors: usize, supervised: bool) -> Pin<Box<dyn Future<Output = Kept> + Send>> {
        Box::pin(async move {
            let system = system();
            let mut addresses = Vec::with_capacity(actors);
            let countdown = Countdown::new(actors);
            if supervised {
                let children = (0..actors).map(|number| {
                    let (address, seat) = system.address();
                    addresses.push(address);
                    actor_in(&number.to_string(), seat, idler(&countdown))
                });
                let tree = one_for_one().children(children);
                tree.start(&system, "idle").await.expect("children without duties start");
            } else {
                addresses.extend((0..actors).map(|_| spawn(&system, idler(&countdown))));
            }
            countdown.wait().await;
            Box::new((addresses, system)) as Kept
        })
    }
}

/// Adds up what it receives, and says when it has received so many.
struct Adder {
    sum: u64,
    left: u64,
    done: Signal,
}

impl Actor for Adder {
    type Msg = u64;

    async fn handle(&mut self, message: u64, _: &mut Context<u64>) -> Handled {
        self.sum += message;
        self.left -= 1;
        if self.left == 0 {
            black_box(self.sum);
            self.done.give();
        }
        Ok(())
    }
}

/// Sends on what it receives, less one, and says when there is nothing left.
struct Relay {
    next: Addr<u64>,
    done: Signal,
}

impl Actor for Relay {
    type Msg = u64;

    async fn handle(&mut self, hops: u64, _: &mut Context<u64>) -> Handled {
        match hops.checked_sub(1) {
            Some(left) => send(&self.next, left).await,
            None => self.done.give(),
        }
        Ok(())
    }
}

/// Answers with the next number.
struct Successor;

impl Actor for Successor {
    type Msg = (u64, Reply<u64>);

    async fn handle(&mut self, (question, reply): Self::Msg, _: &mut Context<Self::Msg>) -> Handled {
        // An asker that has gone away is no concern of who answers.
        let _ = reply.send(question + 1);
        Ok(())
    }
}

/// Waits for messages that never come.
struct Idler;

impl Actor for Idler {
    type Msg = u64;

    async fn handle(&mut self, message: u64, _: &mut Context<u64>) -> Handled {
        black_box(message);
        Ok(())
    }
}

/// Says when it has worked, and crashes when told to.
pub(crate) struct Crasher {
    pub(crate) handled: Signal,
}

impl Actor for Crasher {
    type Msg = Order;

    async fn handle(&mut self, order: Order, _: &mut Context<Order>) -> Handled {
        match order {
            Order::Work => {
                self.handled.give();
                Ok(())
            }
            Order::Crash => Err(ExitReason::error(Crashed)),
        }
    }
}

#[derive(Debug)]
struct Crashed;

impl std::fmt::Display for Crashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("crashed as ordered")
    }
}

impl std::error::Error for Crashed {}

async fn adder(system: &System, messages: u64) -> (Addr<u64>, Signal) {
    let (ready, done) = (Signal::default(), Signal::default());
    let (started, finished) = (ready.clone(), done.clone());
    let address = spawn(system, move || {
        started.give();
        Adder { sum: 0, left: messages, done: finished }
    });
    ready.wait().await;
    (address, done)
}

/// The factory of an idler; says that it runs.
fn idler(countdown: &Countdown) -> impl Fn() -> Idler + Clone + Send + Sync + 'static {
    let countdown = countdown.clone();
    move || {
        countdown.one_is_up();
        Idler
    }
}

pub(crate) fn system() -> System {
    System::new().expect("the runtime of a run has its time enabled")
}

fn spawn<A: Actor>(system: &System, make: impl FnOnce() -> A + Send + 'static) -> Addr<A::Msg> {
    system.spawn(make).expect("nobody shuts the system down during a run")
}

#[inline]
pub(crate) async fn send<M: Send + 'static>(address: &Addr<M>, message: M) {
    assert!(address.send(message).await.is_ok(), "the receiver outlives the run");
}

async fn finish(system: &System, watch: &Stopwatch) -> Duration {
    let took = watch.read();
    end(system).await;
    took
}

/// Bare tasks end with their senders or their runtime; actors, which know their system and are known to it, do not.
async fn end(system: &System) {
    assert!(
        system.shutdown(Duration::from_secs(60)).await.is_clean(),
        "idle actors stop when they are told to"
    );
}
