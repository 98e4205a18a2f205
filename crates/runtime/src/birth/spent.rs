//! What is left of a recipe whose actor is never started again: the seat, and which recipe it was. What the factory holds is
//! dropped, so that it does not stay for as long as the actor lives.

use std::any::Any;
use std::sync::{Arc, Weak};

use super::{Launch, Recipe, StartError, StartOptions};
use crate::actor_ref::ActorRef;
use crate::life::Peer;
use crate::local_host::LocalHost;
use crate::seat::{Seat, SeatId};
use crate::system::SystemShared;

pub(super) struct Spent<M: Send + 'static> {
    seat: Seat<M>,
    /// Whether the seat was made for one incarnation of its minder.
    is_own: bool,
    /// The recipe as it was before it was settled, if anybody can ask whether they are the same. While this points there
    /// nothing else can lie in its place, also when it is gone.
    of: Option<Weak<dyn Launch>>,
}

impl<M: Send + 'static> Spent<M> {
    pub(super) fn recipe(seat: Seat<M>, is_own: bool, of: Option<Weak<dyn Launch>>) -> Recipe {
        Recipe { launch: Arc::new(Self { seat, is_own, of }) }
    }
}

impl<M: Send + 'static> Launch for Spent<M> {
    fn start(&self, _: &Peer, _: StartOptions) -> Result<ActorRef, StartError> {
        Err(StartError::Spent(self.seat.cell().core.path()))
    }

    fn settled(self: Arc<Self>, _: &Arc<SystemShared>, _: bool) -> Option<Recipe> {
        None
    }

    fn own_seat(&self) -> Option<Box<dyn Any>> {
        self.is_own.then(|| -> Box<dyn Any> { Box::new(self.seat.clone()) })
    }

    fn in_seat_of(self: Arc<Self>, _: &Recipe) -> Option<Recipe> {
        None
    }

    fn origin(&self) -> *const () {
        self.of.as_ref().map_or(std::ptr::from_ref(self).cast(), |of| of.as_ptr().cast())
    }

    fn seat(&self) -> Option<SeatId> {
        Some(self.seat.id())
    }

    fn spent(self: Arc<Self>) -> Option<Recipe> {
        Some(Recipe { launch: self })
    }

    fn begin_epoch(&self) -> bool {
        self.seat.cell().begin_epoch()
    }

    fn on(&self, _: &LocalHost) -> Option<Recipe> {
        None
    }
}
