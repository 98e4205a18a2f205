//! The points at which fault injection may strike around user code. Without the feature `fault-injection` a probe has
//! no size and its methods are empty.

#[cfg(feature = "fault-injection")]
pub(crate) use armed::Probe;
#[cfg(not(feature = "fault-injection"))]
pub(crate) use silent::Probe;

#[cfg(not(feature = "fault-injection"))]
mod silent {
    use std::future::Future;

    use minder_signals::ExitReason;

    use crate::actor::Handled;
    use crate::cell::Cell;
    use crate::context::Context;
    use crate::notice::Item;

    pub(crate) struct Probe;

    impl Probe {
        pub(crate) fn on_start<M>(_: &Context<M>) -> Self {
            Self
        }

        pub(crate) fn on_delivery<M>(_: &Context<M>, _: &Item<M>) -> Self {
            Self
        }

        pub(crate) fn on_stop<M>(_: &Context<M>) {}

        pub(crate) fn before_start(&self) -> Result<(), ExitReason> {
            Ok(())
        }

        /// The code as it is.
        pub(crate) fn around<M, F: Future<Output = Handled>>(
            &self,
            _: &Cell<M>,
            make: impl FnOnce() -> F,
        ) -> F {
            make()
        }
    }
}

#[cfg(feature = "fault-injection")]
mod armed {
    use std::future::Future;

    use minder_signals::{Control, ExitReason};

    use crate::actor::Handled;
    use crate::cell::Cell;
    use crate::context::Context;
    use crate::frame;
    use crate::hooks::{self, Fault, InjectedError, Point, Strike, injected};
    use crate::notice::Item;

    /// What was decided for this piece of user code, before it runs.
    pub(crate) struct Probe {
        strike: Option<Strike>,
    }

    impl Probe {
        pub(crate) fn on_start<M: Send + 'static>(context: &Context<M>) -> Self {
            if let Some(hooks) = context.cell.core.system.hooks.get() {
                hooks::begins(hooks, context.cell.clone(), context.id());
            }
            Self::at(context, || Point::Start)
        }

        pub(crate) fn on_delivery<M: Send + 'static>(context: &Context<M>, item: &Item<M>) -> Self {
            let point = match item {
                Item::Notice(_) => Point::Notice,
                Item::Tell(_)
                | Item::Ask(..)
                | Item::Bound(..)
                | Item::Again(..)
                | Item::Own(_)
                | Item::Next(_)
                | Item::Tick(_)
                | Item::Outcome(_) => Point::Message(std::any::type_name::<M>()),
                // Nothing of the user's runs for it.
                Item::Stop => return Self { strike: None },
            };
            Self::at(context, || point)
        }

        pub(crate) fn on_stop<M: Send + 'static>(context: &Context<M>) {
            let probe = Self::at(context, || Point::Stop);
            if let Some(strike) = probe.strike
                && !matches!(strike.fault, Fault::Slow(_))
            {
                strike.fired();
                frame::raise(injected("while stopping"));
            }
        }

        fn at<M: Send + 'static>(context: &Context<M>, point: impl FnOnce() -> Point) -> Self {
            let Some(hooks) = context.cell.core.system.hooks.get() else { return Self { strike: None } };
            Self { strike: Strike::at(hooks, &context.cell.core, context.id(), point()) }
        }

        fn fault(&self) -> Option<(Fault, &Strike)> {
            self.strike.as_ref().map(|strike| (strike.fault, strike))
        }

        pub(crate) fn before_start(&self) -> Result<(), ExitReason> {
            match self.fault() {
                None | Some((Fault::Slow(_), _)) => Ok(()),
                Some((Fault::Error, strike)) => {
                    strike.fired();
                    Err(ExitReason::error(InjectedError))
                }
                Some((_, strike)) => {
                    strike.fired();
                    frame::raise(injected("in the start"))
                }
            }
        }

        /// The code between the two places where a fault may strike.
        pub(crate) async fn around<M, F: Future<Output = Handled>>(
            &self,
            cell: &Cell<M>,
            make: impl FnOnce() -> F,
        ) -> Handled {
            self.before(cell).await?;
            let handled = make().await;
            self.after();
            handled
        }

        /// Strikes before the handler, or arms what strikes later.
        async fn before<M>(&self, cell: &Cell<M>) -> Result<(), ExitReason> {
            let Some((fault, strike)) = self.fault() else { return Ok(()) };
            match fault {
                Fault::PanicBefore => {
                    strike.fired();
                    frame::raise(injected("before a message"))
                }
                Fault::PanicIn => {
                    frame::arm(true);
                    Ok(())
                }
                Fault::PanicAfter => Ok(()),
                Fault::Error => {
                    strike.fired();
                    Err(ExitReason::error(InjectedError))
                }
                Fault::Kill => {
                    strike.fired();
                    cell.mailbox.order(Control::Kill);
                    std::future::pending().await
                }
                Fault::Hang => {
                    strike.fired();
                    std::future::pending().await
                }
                Fault::Slow(duration) => {
                    strike.fired();
                    cell.core.system.sleep(duration).await;
                    Ok(())
                }
            }
        }

        /// Strikes after the handler.
        fn after(&self) {
            if let Some((Fault::PanicAfter, strike)) = self.fault() {
                strike.fired();
                frame::raise(injected("after a message"));
            }
        }

        /// Whether a panic armed for the handler's inside went off.
        pub(crate) fn went_off(&self, reason: &ExitReason) {
            if let (Some((Fault::PanicIn, strike)), ExitReason::Panic(report)) = (self.fault(), reason)
                && crate::hooks::is_injected(report)
            {
                strike.fired();
            }
        }
    }
}
