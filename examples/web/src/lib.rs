//! A small web server on axum whose connections are actors: each dies with its connection, is minded, and leaves nothing
//! behind. `/livez` and `/readyz` follow the tree; [`Web::drain`] lets what was begun be finished.
//!
//! ```text
//! web ── visits         the state: what a visit counts
//!     ├─ kettle         something slow
//!     ├─ connections ── connection-1, connection-2 …
//!     └─ listener       accepts, and hands over
//! ```

mod connections;
mod health;
mod routes;
mod state;

use std::sync::Arc;
use std::time::Duration;

use minder::ShutdownReport;
use minder::prelude::*;
use minder::supervisors::{Root, StartTreeError, reporting_task};
use tokio::net::TcpListener;

use crate::connections::{Connections, ConnectionsCalls, ConnectionsMsg, listen};
use crate::health::Health;
use crate::state::{Kettle, Visits};

/// How long draining waits for connections that are being answered.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
#[derive(Debug)]
pub struct Web {
    system: System,
    root: Root,
    health: Arc<Health>,
    connections: Addr<ConnectionsMsg>,
}

impl Web {
    /// Starts the tree, in order: when this returns, connections are accepted.
    ///
    /// # Errors
    /// Why it did not start; everything is stopped again then.
    pub async fn start(system: System, listener: TcpListener) -> Result<Self, StartTreeError> {
        let listener = Arc::new(listener);
        let (visits, visits_seat) = system.address();
        let (kettle, kettle_seat) = system.address();
        let (connections, connections_seat) = system.address();
        let health = Arc::new(Health::default());

        let router = routes::router(visits, kettle, health.clone());
        let accepted = connections.clone();
        let tree = one_for_one()
            .limit(5, Duration::from_secs(10))
            .child(actor_in("visits", visits_seat, Visits::default).reports_ready())
            .child(actor_in("kettle", kettle_seat, || Kettle).ready_within(Duration::from_secs(10)))
            .child(actor_in("connections", connections_seat, move || Connections::new(router.clone())))
            .child(reporting_task("listener", move |readiness| {
                listen(listener.clone(), accepted.clone(), readiness)
            }));
        let root = tree.start(&system, "web").await?;
        health.follow(root.clone());
        Ok(Self { system, root, health, connections })
    }

    /// Resolves when the tree has given up.
    pub async fn ended(&self) -> ExitReason {
        self.root.ended().await
    }

    /// From now on `/readyz` says no, while everything is still answered: the time for whoever sends traffic here to
    /// look elsewhere.
    pub fn turn_away(&self) {
        self.health.drain();
    }

    /// Accepts no more, lets every request that was begun be answered, and stops the tree in reverse. What is not
    /// answered within [`PATIENCE`] is cut off. Returns the report, and whether all was answered.
    pub async fn drain(self) -> (ShutdownReport, bool) {
        self.turn_away();
        let drained = self.connections.drain().within(PATIENCE).await.is_ok();
        (self.system.shutdown(Duration::from_secs(5)).await, drained)
    }
}
