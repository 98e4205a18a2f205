//! What a life is lived by: an actor, whether or not it may change threads. The loop over the lane, the start and the
//! departure are written once, over this trait; whether the task of a life is `Send` follows from who lives it.

use std::future::Future;

use minder_signals::ExitReason;

use crate::actor::{Actor, Handled, Winding};
use crate::context::Context;
use crate::local::LocalActor;
use crate::notice::Notice;

/// See [`Actor`], whose methods these are.
pub(crate) trait Hosted: Sized + 'static {
    type Msg: Send + 'static;

    fn started(&mut self, context: &mut Context<Self::Msg>) -> impl Future<Output = Handled>;

    fn handle(
        &mut self,
        message: Self::Msg,
        context: &mut Context<Self::Msg>,
    ) -> impl Future<Output = Handled>;

    fn redelivery(message: &Self::Msg) -> Option<Self::Msg>;

    fn notice(&mut self, notice: Notice, context: &mut Context<Self::Msg>) -> impl Future<Output = Handled>;

    fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<Self::Msg>) -> Winding;

    fn stopping(&mut self, reason: &ExitReason, context: &mut Context<Self::Msg>)
    -> impl Future<Output = ()>;
}

/// An actor that stays on its thread, so that the two kinds are told apart even if one type is both.
pub(crate) struct Local<A>(pub(crate) A);

macro_rules! hosts {
    ($kind:ident for $actor:ty, $this:ident => $own:expr) => {
        impl<A: $kind> Hosted for $actor {
            type Msg = A::Msg;

            #[inline]
            fn started(&mut $this, context: &mut Context<A::Msg>) -> impl Future<Output = Handled> {
                $kind::started($own, context)
            }

            #[inline]
            fn handle(
                &mut $this,
                message: A::Msg,
                context: &mut Context<A::Msg>,
            ) -> impl Future<Output = Handled> {
                $kind::handle($own, message, context)
            }

            #[inline]
            fn redelivery(message: &A::Msg) -> Option<A::Msg> {
                <A as $kind>::redelivery(message)
            }

            #[inline]
            fn notice(
                &mut $this,
                notice: Notice,
                context: &mut Context<A::Msg>,
            ) -> impl Future<Output = Handled> {
                $kind::notice($own, notice, context)
            }

            #[inline]
            fn stop_requested(&mut $this, reason: &ExitReason, context: &mut Context<A::Msg>) -> Winding {
                $kind::stop_requested($own, reason, context)
            }

            #[inline]
            fn stopping(
                &mut $this,
                reason: &ExitReason,
                context: &mut Context<A::Msg>,
            ) -> impl Future<Output = ()> {
                $kind::stopping($own, reason, context)
            }
        }
    };
}

hosts!(Actor for A, self => self);
hosts!(LocalActor for Local<A>, self => &mut self.0);
