//! The routes: plain axum handlers that ask actors. A handler runs in the actor of its connection, so what it panics
//! with ends that connection and no other.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use minder::prelude::*;

use crate::health::Health;
use crate::state::{KettleCalls, KettleMsg, VisitsCalls, VisitsMsg};

#[derive(Clone)]
struct App {
    visits: Addr<VisitsMsg>,
    kettle: Addr<KettleMsg>,
    health: Arc<Health>,
}

pub(crate) fn router(visits: Addr<VisitsMsg>, kettle: Addr<KettleMsg>, health: Arc<Health>) -> Router {
    Router::new()
        .route("/", get(visit))
        .route("/visits", get(count))
        .route("/tea", get(tea))
        .route("/forget", post(forget))
        .route("/panic", post(panic))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(App { visits, kettle, health })
}

/// An ask that was not answered is the server's fault, and says why.
fn unanswered<M>(error: AskError<M>) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

type Answer = Result<String, (StatusCode, String)>;

async fn visit(State(app): State<App>) -> Answer {
    app.visits.visit().await.map(|number| format!("visit {number}")).map_err(unanswered)
}

async fn count(State(app): State<App>) -> Answer {
    app.visits.count().await.map(|visits| visits.to_string()).map_err(unanswered)
}

async fn tea(State(app): State<App>) -> Answer {
    app.visits.visit().await.map_err(unanswered)?;
    app.kettle.boil().await.map(|()| "tea".into()).map_err(unanswered)
}

async fn forget(State(app): State<App>) -> Answer {
    app.visits.forget().await.map(|()| String::new()).map_err(unanswered)
}

async fn panic() -> Answer {
    panic!("a handler panicked")
}

async fn livez(State(app): State<App>) -> Answer {
    said(app.health.live().await)
}

async fn readyz(State(app): State<App>) -> Answer {
    said(app.health.ready().await)
}

fn said(health: Result<(), String>) -> Answer {
    health.map(|()| "ok".into()).map_err(|why| (StatusCode::SERVICE_UNAVAILABLE, why))
}
