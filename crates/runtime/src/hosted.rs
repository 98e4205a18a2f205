//! What a life is lived by: an actor, whether or not it may change threads. The loop over the lane, the start and the
//! departure are written once, over this trait; whether the task of a life is `Send` follows from who lives it.

use std::any::{Any, TypeId, type_name};
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

    fn sys_state(&mut self, wanted: TypeId) -> &mut dyn Any;

    fn format_status(&self) -> Option<String>;

    /// What the user calls it.
    fn type_name() -> &'static str;
}

/// An actor that stays on its thread, so that the two kinds are told apart even if one type is both.
pub(crate) struct Local<A>(pub(crate) A);

macro_rules! hosts {
    ($kind:ident for $actor:ty, $this:ident => $own:expr, $shared:expr) => {
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

            fn sys_state(&mut $this, wanted: TypeId) -> &mut dyn Any {
                $kind::sys_state($own, wanted)
            }

            fn format_status(&$this) -> Option<String> {
                $kind::format_status($shared)
            }

            fn type_name() -> &'static str {
                type_name::<A>()
            }
        }
    };
}

hosts!(Actor for A, self => self, self);
hosts!(LocalActor for Local<A>, self => &mut self.0, &self.0);
