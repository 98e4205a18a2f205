//! Where a system's tasks run: on tokio, or (behind the feature `fault-injection`) on a [`Host`] such as the simulator.
//! Asked when a system is built, when a task is spawned and when a closure may block; never per message.
//!
//! A host is not named by whoever builds a system: it is there for as long as code runs inside it ([`enter`]), so that
//! a program which makes its own system is simulated as it is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use minder_signals::ActorId;
use tokio::runtime::Handle;

#[cfg(feature = "fault-injection")]
pub use hosted::{Entered, Host, Run, Task, enter};

use crate::cell::Cell;

/// Where the tasks of one system run.
pub(crate) enum Home {
    Tokio(Handle),
    #[cfg(feature = "fault-injection")]
    Host(Arc<dyn Host>),
}

impl Home {
    /// The host that the caller runs in, or else its tokio runtime; nothing if there is neither.
    pub(crate) fn here() -> Option<Self> {
        #[cfg(feature = "fault-injection")]
        if let Some(host) = hosted::current() {
            return Some(Self::Host(host));
        }
        Handle::try_current().ok().map(Self::Tokio)
    }

    /// The seed of a system that was given none.
    pub(crate) fn seed(&self) -> u64 {
        match self {
            Self::Tokio(_) => fastrand::u64(..),
            #[cfg(feature = "fault-injection")]
            Self::Host(host) => host.seed(),
        }
    }

    /// Puts a thread that is none of its own into it, for as long as the guard is there.
    pub(crate) fn inside(&self) -> Option<tokio::runtime::EnterGuard<'_>> {
        match self {
            Self::Tokio(tokio) => Some(tokio.enter()),
            #[cfg(feature = "fault-injection")]
            Self::Host(_) => None,
        }
    }

    /// Whether time is simulated: then deadlines are kept to the millisecond, which costs nothing there, and a closure
    /// that blocks its thread runs right where it is asked for.
    pub(crate) fn is_simulated(&self) -> bool {
        !matches!(self, Self::Tokio(_))
    }

    /// Runs one life.
    pub(crate) fn spawn_life<M: Send + 'static>(
        &self,
        cell: &Arc<Cell<M>>,
        id: ActorId,
        life: impl Future<Output = ()> + Send + 'static,
    ) {
        match self {
            // The task's end is told by its departure; nobody needs its handle.
            Self::Tokio(tokio) => match &cell.core.system.watchdog {
                None => drop(tokio.spawn(life)),
                Some(watchdog) => drop(tokio.spawn(watchdog.watch(cell.clone(), id, None, boxed(life)))),
            },
            #[cfg(feature = "fault-injection")]
            Self::Host(host) => {
                let target = crate::hooks::Target::of(cell.clone(), id);
                host.spawn(Task {
                    path: cell.core.path(),
                    target: Some(target),
                    run: Run::Anywhere(Box::pin(life)),
                });
            }
        }
        let _ = (cell, id);
    }

    /// Runs work of this name beside a life.
    pub(crate) fn spawn_beside<M: Send + 'static>(
        &self,
        cell: &Arc<Cell<M>>,
        id: ActorId,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        match (self, &cell.core.system.watchdog) {
            (Self::Tokio(tokio), Some(watchdog)) => {
                drop(tokio.spawn(watchdog.watch(cell.clone(), id, Some(name), boxed(work))));
            }
            _ => self.spawn_own(name, work),
        }
    }

    /// Runs a task of the system's own.
    pub(crate) fn spawn_own(&self, name: &str, run: impl Future<Output = ()> + Send + 'static) {
        match self {
            Self::Tokio(tokio) => drop(tokio.spawn(run)),
            #[cfg(feature = "fault-injection")]
            Self::Host(host) => {
                host.spawn(Task { path: name.into(), target: None, run: Run::Anywhere(Box::pin(run)) })
            }
        }
        let _ = name;
    }
}

fn boxed(
    task: impl Future<Output = ()> + Send + 'static,
) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
    Box::pin(task)
}

#[cfg(feature = "fault-injection")]
mod hosted {
    use std::cell::RefCell;
    use std::fmt;
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;

    use crate::events::Event;
    use crate::hooks::Target;
    use crate::local_host::Unborn;
    use crate::system::System;

    thread_local! {
        /// Part of the first of the platform's exceptions to "no global state" (see `frame.rs`): which host runs code
        /// on this thread. Looked at when a system is built.
        static HOST: RefCell<Option<Arc<dyn Host>>> = const { RefCell::new(None) };
    }

    /// Runs the tasks of systems in tokio's stead. Time stays tokio's: the host's thread is inside a tokio runtime.
    ///
    /// On a host, `Context::blocking` runs its closure inline and deadlines are exact to the millisecond.
    pub trait Host: Send + Sync + 'static {
        /// The seed of a system that is built here without one.
        fn seed(&self) -> u64;

        /// A system was built here.
        fn hosts(&self, system: &System);

        /// Takes a task over. Called inside the code of other tasks: it must not run it right away.
        fn spawn(&self, task: Task);

        /// Gets every event of the systems built here, before their observers.
        fn event(&self, event: &Event<'_>);
    }

    /// One life, or something that a system does for itself.
    pub struct Task {
        /// Where the actor stands in its tree, or what the system calls it.
        pub path: Arc<str>,
        /// Whose life it is, if it is one.
        pub target: Option<Target>,
        /// To be polled to its end.
        pub run: Run,
    }

    /// The code of a task.
    pub enum Run {
        /// May change threads.
        Anywhere(Pin<Box<dyn Future<Output = ()> + Send>>),
        /// May not: it is made where it will be polled.
        Here(Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>),
    }

    impl Run {
        /// The future, on the thread that will poll it. Runs no code of the task's own.
        pub fn into_future(self) -> Pin<Box<dyn Future<Output = ()>>> {
            match self {
                Self::Anywhere(future) => future,
                Self::Here(make) => make(),
            }
        }
    }

    impl fmt::Debug for Run {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                Self::Anywhere(_) => "Anywhere",
                Self::Here(_) => "Here",
            })
        }
    }

    impl Task {
        pub(crate) fn local(life: Box<dyn Unborn>) -> Self {
            let (cell, id) = life.target();
            let path = cell.core().path();
            Self { path, target: Some(Target::of(cell, id)), run: Run::Here(Box::new(|| life.begin())) }
        }
    }

    impl fmt::Debug for Task {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Task")
                .field("path", &self.path)
                .field("target", &self.target)
                .finish_non_exhaustive()
        }
    }

    /// From now on systems that are built on this thread live in the host, until the guard is dropped.
    #[must_use = "dropping the guard leaves the host again"]
    pub fn enter(host: Arc<dyn Host>) -> Entered {
        Entered { outer: HOST.with(|current| current.replace(Some(host))) }
    }

    pub(crate) fn current() -> Option<Arc<dyn Host>> {
        HOST.with(|current| current.borrow().clone())
    }

    /// Leaves the host when it is dropped.
    pub struct Entered {
        outer: Option<Arc<dyn Host>>,
    }

    impl Drop for Entered {
        fn drop(&mut self) {
            let outer = self.outer.take();
            drop(HOST.with(|current| current.replace(outer)));
        }
    }

    impl fmt::Debug for Entered {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Entered")
        }
    }
}
