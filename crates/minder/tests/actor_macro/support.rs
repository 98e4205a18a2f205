//! What the tests share: systems whose events are collected, and actors under a patient supervisor.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use minder::prelude::*;
use minder::{Event, IntoActor, Observer};

/// Writes down the errors that reached nobody.
#[derive(Default)]
pub(crate) struct Unheard(Mutex<Vec<String>>);

impl Observer for Unheard {
    fn event(&self, event: &Event<'_>) {
        if let Event::Unheard { path, message, error, .. } = event {
            self.0.lock().expect("no test panics here").push(format!("{path} {message}: {error}"));
        }
    }
}

impl Unheard {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no test panics here").clone()
    }
}

pub(crate) fn system() -> (System, Arc<Unheard>) {
    let unheard = Arc::new(Unheard::default());
    let system = System::builder().observer(unheard.clone()).build();
    (system.expect("the test runs in a runtime and unwinds"), unheard)
}

/// An actor that is started again whenever it crashes.
pub(crate) async fn minded<R, F>(system: &System, make: F) -> Addr<<R::Actor as Actor>::Msg>
where
    R: IntoActor + 'static,
    F: Fn() -> R + Clone + Send + Sync + 'static,
{
    let (address, seat) = system.address();
    let tree = one_for_one().limit(1000, Duration::from_secs(1)).child(actor_in("it", seat, make));
    tree.start(system, "top").await.expect("nothing fails at its start");
    address
}

/// An error that can be displayed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused(pub(crate) &'static str);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Refused {}
