//! Connections as actors, minded by one that knows how many there are and lets them finish when the server drains.
//! A minder written by the user: a connection is never started again, since nobody could connect its client anew.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use minder::prelude::*;
use minder::{ChildEvent, Readiness};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// One more is closed at once: its client may come back, and the server stays up.
const MOST: usize = 1_024;

/// How long a client may take to say what it wants.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Accepts connections for as long as there is somebody to hand them to. An error of the operating system ends it, and
/// its supervisor starts it again: the listener outlives it.
pub(crate) async fn listen(
    listener: Arc<TcpListener>,
    connections: Addr<ConnectionsMsg>,
    readiness: Readiness,
) -> io::Result<()> {
    readiness.ready();
    loop {
        let (stream, _) = listener.accept().await?;
        // Waits when there are too many to keep up with; then the operating system's queue fills.
        if connections.accept(stream).send().await.is_err() {
            return Ok(());
        }
    }
}

#[derive(Debug)]
pub(crate) struct Connections {
    router: Router,
    accepted: u64,
    open: usize,
    draining: watch::Sender<bool>,
    /// Whoever waits for the last connection to be closed.
    drained: Vec<Reply<()>>,
}

impl Connections {
    pub(crate) fn new(router: Router) -> Self {
        let (draining, _) = watch::channel(false);
        Self { router, accepted: 0, open: 0, draining, drained: Vec::new() }
    }

    fn answer_if_drained(&mut self) {
        if self.open == 0 && *self.draining.borrow() {
            for reply in self.drained.drain(..) {
                let _ = reply.send(()); // whoever asked may not wait any more
            }
        }
    }
}

#[actor]
impl Connections {
    #[tell]
    pub(crate) fn accept(&mut self, stream: TcpStream, context: &mut Context<ConnectionsMsg>) -> Handled {
        if self.open == MOST || *self.draining.borrow() {
            return Ok(());
        }
        self.accepted += 1;
        let connection = Connection {
            stream: Some(stream),
            router: self.router.clone(),
            draining: self.draining.subscribe(),
        };
        context.spawn(&format!("connection-{}", self.accepted), move || connection)?;
        self.open += 1;
        Ok(())
    }

    /// Every connection is closed as soon as the request that it is at is answered; the reply comes when all are.
    pub(crate) fn drain(&mut self, reply: Reply<()>) {
        self.drained.push(reply);
        self.draining.send_replace(true);
        self.answer_if_drained();
    }

    fn notice(&mut self, notice: Notice) {
        let Notice::Child(child) = notice else { return };
        if !matches!(child.event, ChildEvent::Started | ChildEvent::Ready) {
            self.open -= 1;
            self.answer_if_drained();
        }
    }
}

/// One connection: its life is this actor's.
struct Connection {
    stream: Option<TcpStream>,
    router: Router,
    draining: watch::Receiver<bool>,
}

#[actor]
impl Connection {
    fn started(&mut self, context: &mut Context<ConnectionMsg>) {
        context.tell_self(Serve {});
    }

    #[tell]
    async fn serve(&mut self, context: &mut Context<ConnectionMsg>) -> Handled {
        let Some(stream) = self.stream.take() else { return Ok(()) };
        let service = TowerToHyperService::new(self.router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let draining = async {
            // An error says that the minder is gone, and that is the end of this actor too.
            drop(self.draining.wait_for(|is_draining| *is_draining).await);
        };
        let served = tokio::select! {
            biased;
            served = &mut connection => Some(served),
            () = draining => None,
        };
        let served = match served {
            Some(served) => served,
            None => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        // A client that goes away in the middle is no fault of ours.
        drop(served);
        context.stop(ExitReason::Normal);
        Ok(())
    }
}
