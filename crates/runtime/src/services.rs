//! Services: values that a minder offers to all who live below it, looked up by their type. Whom an actor turns to when
//! it needs what it should not have to be handed through every layer: a connection pool, a configuration, the address of
//! a store.
//!
//! An offer is part of an incarnation and ends with it. A look-up goes up the line of minders, and holds the life of one
//! at a time: it waits for nobody, whoever may be ending meanwhile.
//!
//! When not to use this: for what one child needs of another, where an address handed over is checked by the compiler;
//! for what is to be found by those elsewhere in the tree, which is a name ([`System::register`](crate::System::register)).

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::sync::Arc;

use crate::context::Context;
use crate::frame;
use crate::life::Minder;

/// What a minder offers: one value of each type. Clones share the values.
#[derive(Clone, Default)]
pub struct Offers {
    all: Vec<Offer>,
}

#[derive(Clone)]
pub(crate) struct Offer {
    of: TypeId,
    name: &'static str,
    value: Arc<dyn Any + Send + Sync>,
}

impl Offers {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// These, and a value more; the last of a type counts.
    #[must_use]
    pub fn and<T: Clone + Send + Sync + 'static>(mut self, service: T) -> Self {
        self.put(Offer::of(service));
        self
    }

    /// Puts an offer in; returns what it takes the place of. Runs no code of users.
    fn put(&mut self, offer: Offer) -> Option<Offer> {
        match self.all.iter_mut().find(|other| other.of == offer.of) {
            Some(place) => Some(std::mem::replace(place, offer)),
            None => {
                self.all.push(offer);
                None
            }
        }
    }

    /// One by one, to be dropped.
    pub(crate) fn into_each(self) -> Vec<Offer> {
        self.all
    }

    fn take<T: 'static>(&mut self) -> Option<Offer> {
        let place = self.all.iter().position(|offer| offer.of == TypeId::of::<T>())?;
        Some(self.all.remove(place))
    }

    /// The value of that type, not yet cloned: that is code of users.
    fn find<T: 'static>(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.all.iter().find(|offer| offer.of == TypeId::of::<T>()).map(|offer| offer.value.clone())
    }
}

impl Offer {
    fn of<T: Clone + Send + Sync + 'static>(service: T) -> Self {
        Self { of: TypeId::of::<T>(), name: type_name::<T>(), value: Arc::new(service) }
    }
}

impl fmt::Debug for Offers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.iter().map(|offer| offer.name)).finish()
    }
}

/// Nobody above offers the service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoService {
    /// The type that was asked for.
    pub service: &'static str,
    /// Who asked, by its place in the tree.
    pub asker: Arc<str>,
    /// The minders that were asked, the nearest first. The system was asked after them.
    pub asked: Vec<Arc<str>>,
    /// The minder that has ended, at which the look-up stopped: those below it are about to be stopped, too.
    pub ended: Option<Arc<str>>,
}

impl fmt::Display for NoService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nobody offers `{}` to {}: asked ", self.service, self.asker)?;
        for minder in &self.asked {
            write!(f, "{minder}, ")?;
        }
        match &self.ended {
            Some(ended) => write!(f, "and found that {ended} has ended"),
            None => f.write_str("the system"),
        }
    }
}

impl std::error::Error for NoService {}

impl<M: Send + 'static> Context<M> {
    /// The value of this type that the nearest minder offers: its own minder, or that one's, and so on; the system
    /// ([`SystemBuilder::offer`](crate::SystemBuilder::offer)) is asked last. What this actor itself offers is for those
    /// below it.
    ///
    /// The answer is a copy: if the offer changes later, what was looked up stays. An actor that is restarted looks again
    /// in its `started`; that is where to call this.
    ///
    /// # Errors
    /// If nobody offers it; says who was asked.
    ///
    /// ```
    /// use minder_runtime::{Actor, Addr, Context, Handled, Reply, System};
    ///
    /// #[derive(Clone)]
    /// struct Greeting(&'static str);
    ///
    /// struct Greeter(Greeting);
    /// impl Actor for Greeter {
    ///     type Msg = Reply<&'static str>;
    ///     async fn started(&mut self, context: &mut Context<Self::Msg>) -> Handled {
    ///         self.0 = context.service()?;
    ///         Ok(())
    ///     }
    ///     async fn handle(&mut self, reply: Self::Msg, _: &mut Context<Self::Msg>) -> Handled {
    ///         drop(reply.send(self.0.0));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let system = System::builder().offer(Greeting("hello")).build()?;
    /// let greeter = system.spawn(|| Greeter(Greeting("")))?;
    /// assert_eq!(greeter.ask(|reply| reply).await?, "hello");
    /// # Ok(())
    /// # }
    /// ```
    pub fn service<T: Clone + Send + Sync + 'static>(&self) -> Result<T, NoService> {
        let mut asked = Vec::new();
        let mut next = self.cell.core.life().minder.clone();
        let none = |asked, ended| NoService { service: type_name::<T>(), asker: self.path(), asked, ended };
        let found = loop {
            let Minder::Actor(minder) = next else {
                break self.cell.core.system.offers.find::<T>();
            };
            let core = minder.cell.core();
            let mut life = core.life();
            let path = life.path_or_number(core.number);
            if !life.is(minder.id()) {
                drop(life);
                return Err(none(asked, Some(path)));
            }
            if let Some(found) = life.ties_if_any().and_then(|ties| ties.offers.find::<T>()) {
                break Some(found);
            }
            next = life.minder.clone();
            drop(life);
            asked.push(path);
        };
        let found = found.and_then(|value| value.downcast_ref::<T>().cloned());
        found.ok_or_else(|| none(asked, None))
    }

    /// Offers a service to all who live below this actor, for as long as this incarnation lives; a second one of the type
    /// takes the place of the first.
    pub fn offer<T: Clone + Send + Sync + 'static>(&mut self, service: T) {
        frame::effect();
        self.put_offer(Offer::of(service));
    }

    /// Offers all of these.
    pub fn offer_all(&mut self, offers: &Offers) {
        offers.all.iter().for_each(|offer| self.put_offer(offer.clone()));
    }

    /// Offers these, and nothing else any more.
    pub fn offer_only(&mut self, offers: &Offers) {
        frame::effect();
        let before = match self.cell.core.life() {
            mut life if !offers.all.is_empty() => std::mem::replace(&mut life.ties().offers, offers.clone()),
            mut life => life.ties_if_any().map(|ties| std::mem::take(&mut ties.offers)).unwrap_or_default(),
        };
        // Its drop is code of users: after the lock.
        drop(before);
    }

    /// Takes an offer back; whether there was one. Those who have looked it up keep what they have.
    pub fn withdraw_offer<T: 'static>(&mut self) -> bool {
        frame::effect();
        let withdrawn = self.cell.core.life().ties_if_any().and_then(|ties| ties.offers.take::<T>());
        withdrawn.is_some()
    }

    fn put_offer(&mut self, offer: Offer) {
        let replaced = self.cell.core.life().ties().offers.put(offer);
        // Its drop is code of users: after the lock.
        drop(replaced);
    }
}
