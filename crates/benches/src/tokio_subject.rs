//! What one writes without minder: a tokio task that receives from an mpsc channel, unbounded or bounded.
//! Written as such code is written, without tricks that a service would not use.

use std::hint::black_box;
use std::marker::PhantomData;
use std::pin::Pin;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::stopwatch::Stopwatch;
use crate::subject::{BOUND, Countdown, Kept, Order, Run, Signal, Subject, bare_task};

/// The two channels behind one name, so that the code around them is the same.
pub(crate) trait Channel: Send + Sync + 'static {
    const NAME: &'static str;
    type Sender<T: Send + 'static>: Clone + Send + Sync + 'static;
    type Receiver<T: Send + 'static>: Send + 'static;

    fn open<T: Send + 'static>() -> (Self::Sender<T>, Self::Receiver<T>);
    fn send<T: Send + 'static>(sender: &Self::Sender<T>, message: T) -> impl Future<Output = ()> + Send;
    fn receive<T: Send + 'static>(receiver: &mut Self::Receiver<T>)
    -> impl Future<Output = Option<T>> + Send;
}

#[derive(Debug)]
pub(crate) struct Unbounded;

impl Channel for Unbounded {
    const NAME: &'static str = "tokio";
    type Sender<T: Send + 'static> = mpsc::UnboundedSender<T>;
    type Receiver<T: Send + 'static> = mpsc::UnboundedReceiver<T>;

    fn open<T: Send + 'static>() -> (Self::Sender<T>, Self::Receiver<T>) {
        mpsc::unbounded_channel()
    }

    #[inline]
    async fn send<T: Send + 'static>(sender: &Self::Sender<T>, message: T) {
        assert!(sender.send(message).is_ok(), "the receiver outlives the run");
    }

    #[inline]
    async fn receive<T: Send + 'static>(receiver: &mut Self::Receiver<T>) -> Option<T> {
        receiver.recv().await
    }
}

#[derive(Debug)]
pub(crate) struct Bounded;

impl Channel for Bounded {
    const NAME: &'static str = "tokio-bounded";
    type Sender<T: Send + 'static> = mpsc::Sender<T>;
    type Receiver<T: Send + 'static> = mpsc::Receiver<T>;

    fn open<T: Send + 'static>() -> (Self::Sender<T>, Self::Receiver<T>) {
        mpsc::channel(BOUND)
    }

    #[inline]
    async fn send<T: Send + 'static>(sender: &Self::Sender<T>, message: T) {
        assert!(sender.send(message).await.is_ok(), "the receiver outlives the run");
    }

    #[inline]
    async fn receive<T: Send + 'static>(receiver: &mut Self::Receiver<T>) -> Option<T> {
        receiver.recv().await
    }
}

/// Bare tasks over one kind of channel.
#[derive(Debug)]
pub(crate) struct Bare<C>(PhantomData<C>);

impl<C: Channel> Bare<C> {
    pub(crate) const SUBJECT: Self = Self(PhantomData);
}

impl<C: Channel> Subject for Bare<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn tell(&self, messages: u64) -> Run {
        Box::pin(async move {
            let (sender, done) = adder::<C>(messages).await;
            let watch = Stopwatch::start();
            for message in 0..messages {
                C::send(&sender, message).await;
            }
            done.wait().await;
            watch.read()
        })
    }

    fn fan_in(&self, senders: u64, messages_each: u64) -> Run {
        Box::pin(async move {
            let (sender, done) = adder::<C>(senders * messages_each).await;
            let watch = Stopwatch::start();
            for _ in 0..senders {
                let sender = sender.clone();
                bare_task(async move {
                    for message in 0..messages_each {
                        C::send(&sender, message).await;
                    }
                });
            }
            done.wait().await;
            watch.read()
        })
    }

    fn ring(&self, receivers: usize, hops: u64) -> Run {
        Box::pin(async move {
            let done = Signal::default();
            let (first, last) = C::open::<u64>();
            let mut next = first.clone();
            for _ in 1..receivers {
                let (sender, receiver) = C::open::<u64>();
                relay::<C>(receiver, next, done.clone()).await;
                next = sender;
            }
            relay::<C>(last, next, done.clone()).await;

            let watch = Stopwatch::start();
            C::send(&first, hops - 1).await;
            done.wait().await;
            watch.read()
        })
    }

    fn ask(&self, asks: u64) -> Run {
        Box::pin(async move {
            let (sender, mut receiver) = C::open::<(u64, oneshot::Sender<u64>)>();
            let ready = Signal::default();
            let started = ready.clone();
            bare_task(async move {
                started.give();
                while let Some((question, reply)) = C::receive(&mut receiver).await {
                    // An asker that has gone away is no concern of who answers.
                    let _ = reply.send(question + 1);
                }
            });
            ready.wait().await;

            let watch = Stopwatch::start();
            for question in 0..asks {
                let (reply, answer) = oneshot::channel();
                C::send(&sender, (question, reply)).await;
                black_box(answer.await.expect("every question is answered"));
            }
            watch.read()
        })
    }

    fn spawn(&self, actors: usize) -> Run {
        Box::pin(async move {
            let mut addresses = Vec::with_capacity(actors);
            let countdown = Countdown::new(actors);
            let watch = Stopwatch::start();
            for _ in 0..actors {
                let (address, idler) = idler::<C>(countdown.clone());
                bare_task(idler);
                addresses.push(address);
            }
            countdown.wait().await;
            let took = watch.read();
            drop(addresses);
            took
        })
    }

    fn restart(&self, crashes: u64) -> Run {
        Box::pin(async move {
            let handled = Signal::default();
            let mut lives = JoinSet::new();
            let mut address = crasher::<C>(&mut lives, handled.clone());
            C::send(&address, Order::Work).await;
            handled.wait().await;

            let watch = Stopwatch::start();
            for _ in 0..crashes {
                C::send(&address, Order::Crash).await;
                let ended = lives.join_next().await.expect("one task lives at a time");
                assert_eq!(ended.expect("nobody aborts it"), Err(Crashed));
                address = crasher::<C>(&mut lives, handled.clone());
                C::send(&address, Order::Work).await;
                handled.wait().await;
            }
            watch.read()
        })
    }

    fn idle(&self, actors: usize, supervised: bool) -> Pin<Box<dyn Future<Output = Kept> + Send>> {
        Box::pin(async move {
            let mut addresses = Vec::with_capacity(actors);
            let mut minded = JoinSet::new();
            let countdown = Countdown::new(actors);
            for _ in 0..actors {
                let (address, idler) = idler::<C>(countdown.clone());
                if supervised {
                    minded_task(&mut minded, idler);
                } else {
                    bare_task(idler);
                }
                addresses.push(address);
            }
            countdown.wait().await;
            Box::new((addresses, minded)) as Kept
        })
    }
}

/// A task that adds up what it receives, and says when it has received so many.
async fn adder<C: Channel>(messages: u64) -> (C::Sender<u64>, Signal) {
    let (sender, mut receiver) = C::open::<u64>();
    let (ready, done) = (Signal::default(), Signal::default());
    let (started, finished) = (ready.clone(), done.clone());
    bare_task(async move {
        started.give();
        let mut sum = 0_u64;
        for _ in 0..messages {
            sum += C::receive(&mut receiver).await.expect("the sender sends them all");
        }
        black_box(sum);
        finished.give();
    });
    ready.wait().await;
    (sender, done)
}

/// A task that sends on what it receives, less one, and says when there is nothing left.
async fn relay<C: Channel>(mut receiver: C::Receiver<u64>, next: C::Sender<u64>, done: Signal) {
    let ready = Signal::default();
    let started = ready.clone();
    bare_task(async move {
        started.give();
        while let Some(hops) = C::receive(&mut receiver).await {
            match hops.checked_sub(1) {
                Some(left) => C::send(&next, left).await,
                None => done.give(),
            }
        }
    });
    ready.wait().await;
}

/// A task that says that it runs, and then waits for messages that never come.
fn idler<C: Channel>(countdown: Countdown) -> (C::Sender<u64>, impl Future<Output = ()> + Send + 'static) {
    let (sender, mut receiver) = C::open::<u64>();
    let task = async move {
        countdown.one_is_up();
        drop(countdown);
        while let Some(message) = C::receive(&mut receiver).await {
            black_box(message);
        }
    };
    (sender, task)
}

#[derive(Debug, PartialEq, Eq)]
struct Crashed;

fn crasher<C: Channel>(lives: &mut JoinSet<Result<(), Crashed>>, handled: Signal) -> C::Sender<Order> {
    let (sender, mut receiver) = C::open::<Order>();
    minded_task(lives, async move {
        while let Some(order) = C::receive(&mut receiver).await {
            match order {
                Order::Work => handled.give(),
                Order::Crash => return Err(Crashed),
            }
        }
        Ok(())
    });
    sender
}

#[expect(clippy::disallowed_methods, reason = "a bare task is what minder is compared with")]
fn minded_task<T: Send + 'static>(set: &mut JoinSet<T>, task: impl Future<Output = T> + Send + 'static) {
    set.spawn(task);
}
