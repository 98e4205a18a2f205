//! What `/livez` and `/readyz` say. Alive: the top supervisor lives, whatever its children do; a child that crashes again
//! and again is the supervisor's business, and no reason to have the process replaced. Ready: every actor that a request
//! needs lives, and the server is not draining.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use minder::prelude::*;
use minder::supervisors::Root;

#[derive(Default)]
pub(crate) struct Health {
    root: OnceLock<Root>,
    draining: AtomicBool,
    needed: Mutex<Vec<(&'static str, IsAlive)>>,
}

type IsAlive = Box<dyn Fn() -> bool + Send>;

impl Health {
    /// Without this actor the server is not ready.
    pub(crate) fn needs<M: Send + 'static>(&self, name: &'static str, actor: &Addr<M>) {
        let actor = actor.clone();
        let mut needed = self.needed.lock().unwrap_or_else(PoisonError::into_inner);
        needed.push((name, Box::new(move || actor.is_alive())));
    }

    /// The tree is up: from now on its life is the server's.
    pub(crate) fn follow(&self, root: Root) {
        // Set once: a server has one tree.
        let _ = self.root.set(root);
    }

    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    pub(crate) fn live(&self) -> Result<(), String> {
        match self.root.get() {
            Some(root) if root.address().is_alive() => Ok(()),
            Some(_) => Err("the tree has given up".into()),
            None => Err("the tree is starting".into()),
        }
    }

    pub(crate) fn ready(&self) -> Result<(), String> {
        self.live()?;
        if self.draining.load(Ordering::SeqCst) {
            return Err("draining".into());
        }
        let needed = self.needed.lock().unwrap_or_else(PoisonError::into_inner);
        let away: Vec<&str> =
            needed.iter().filter(|(_, is_alive)| !is_alive()).map(|(name, _)| *name).collect();
        if away.is_empty() { Ok(()) } else { Err(format!("away: {}", away.join(", "))) }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("ready", &self.ready()).finish()
    }
}
