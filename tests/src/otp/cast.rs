//! Who plays in a scenario: workers that do as they are told, the parent of the root, and a stranger that sends signals.

use std::sync::Arc;
use std::time::Duration;

use minder::prelude::*;
use minder::supervisors::{Supervisor, SupervisorMsg};
use minder::{ActorRef, ChildEvent, Queued, Recipe, StartOptions};

use super::plan::Stage;
use super::reasons::Reason;
use super::scenario::StopTime;

/// A child that is no supervisor.
pub(super) struct Worker {
    pub(super) stage: Arc<Stage>,
    pub(super) path: Arc<str>,
    pub(super) traps: bool,
    pub(super) stop: StopTime,
    /// It ends by itself: termination code does not delay it.
    pub(super) crashing: bool,
}

pub(super) enum WorkerMsg {
    Crash(Reason),
    Stop(ExitReason),
}

impl Actor for Worker {
    type Msg = WorkerMsg;

    async fn started(&mut self, context: &mut Context<WorkerMsg>) -> Handled {
        context.trap_exit(self.traps);
        self.stage.is_at(&self.path, context.address());
        Ok(())
    }

    async fn handle(&mut self, message: WorkerMsg, context: &mut Context<WorkerMsg>) -> Handled {
        match message {
            WorkerMsg::Crash(Reason::Error(word)) => panic!("{word}"),
            WorkerMsg::Crash(reason) => {
                self.crashing = true;
                context.stop(reason.exit());
            }
            WorkerMsg::Stop(reason) => context.stop(reason),
        }
        Ok(())
    }

    async fn stopping(&mut self, _: &ExitReason, context: &mut Context<WorkerMsg>) {
        match self.stop {
            _ if self.crashing => {}
            StopTime::Takes(Duration::ZERO) => {}
            StopTime::Takes(time) => context.sleep(time).await,
            StopTime::Hangs => std::future::pending().await,
        }
    }
}

/// Minds the root, as OTP's driver is its parent.
pub(super) struct Parent {
    pub(super) stage: Arc<Stage>,
    pub(super) root: Option<ActorRef>,
}

pub(super) enum ParentMsg {
    Start(Recipe),
    Exit(ExitReason),
}

impl ParentMsg {
    /// Start the root in this seat.
    pub(super) fn start<F>(seat: Seat<SupervisorMsg>, make: F) -> Self
    where
        F: Fn() -> Result<Option<Supervisor>, ExitReason> + Clone + Send + Sync + 'static,
    {
        Self::Start(Recipe::in_seat(seat, make))
    }
}

/// What became of the start of the root.
#[derive(Clone, Debug)]
pub(super) enum RootStart {
    Up,
    Ignored,
    Failed(ExitReason),
}

impl Actor for Parent {
    type Msg = ParentMsg;

    async fn handle(&mut self, message: ParentMsg, context: &mut Context<ParentMsg>) -> Handled {
        match message {
            ParentMsg::Start(recipe) => {
                let mut options = StartOptions::named("root");
                options.queued = Queued::Purge;
                self.root = Some(context.start(&recipe, options)?);
            }
            ParentMsg::Exit(reason) => {
                if let Some(root) = &self.root {
                    context.stop_child(root, reason);
                }
            }
        }
        Ok(())
    }

    async fn notice(&mut self, notice: Notice, _: &mut Context<ParentMsg>) -> Handled {
        if let Notice::Child(news) = notice {
            match news.event {
                ChildEvent::Started => self.stage.root_started(RootStart::Up),
                ChildEvent::Ignored => self.stage.root_started(RootStart::Ignored),
                ChildEvent::StartFailed(reason) => self.stage.root_started(RootStart::Failed(reason)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// A process that is neither parent nor child: it sends one exit signal.
pub(super) struct Stranger<M: Send + 'static> {
    pub(super) to: Addr<M>,
    pub(super) reason: ExitReason,
}

impl<M: Send + 'static> Actor for Stranger<M> {
    type Msg = ();

    async fn started(&mut self, context: &mut Context<()>) -> Handled {
        context.exit(&self.to, self.reason.clone());
        context.stop(ExitReason::Normal);
        Ok(())
    }

    async fn handle(&mut self, (): (), _: &mut Context<()>) -> Handled {
        Ok(())
    }
}
