//! What `/livez` and `/readyz` say. Alive: the top supervisor answers, whatever its children do; a child that crashes again
//! and again is the supervisor's business, and no reason to have the process replaced. Ready: everyone in the tree who says
//! when it is ready to serve has said so, and the server is not draining.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use minder::supervisors::Root;

#[derive(Debug, Default)]
pub(crate) struct Health {
    root: OnceLock<Root>,
    draining: AtomicBool,
}

impl Health {
    /// The tree is up: from now on its life is the server's.
    pub(crate) fn follow(&self, root: Root) {
        // Set once: a server has one tree.
        let _ = self.root.set(root);
    }

    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    pub(crate) async fn live(&self) -> Result<(), String> {
        self.unready().await.map(drop)
    }

    pub(crate) async fn ready(&self) -> Result<(), String> {
        let unready = self.unready().await?;
        if self.draining.load(Ordering::SeqCst) {
            return Err("draining".into());
        }
        if unready.is_empty() { Ok(()) } else { Err(format!("not ready: {}", unready.join(", "))) }
    }

    async fn unready(&self) -> Result<Vec<std::sync::Arc<str>>, String> {
        let Some(root) = self.root.get() else { return Err("the tree is starting".into()) };
        root.unready().await.map_err(|why| format!("the tree has given up: {why}"))
    }
}
