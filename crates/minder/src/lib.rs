//! Actors under supervision, with OTP's restart strategies, links and monitors.
//!
//! ```
//! use std::time::Duration;
//! use minder::prelude::*;
//!
//! struct Greeter;
//!
//! enum Msg {
//!     Greet(&'static str, Reply<String>),
//! }
//!
//! impl Actor for Greeter {
//!     type Msg = Msg;
//!
//!     async fn handle(&mut self, Msg::Greet(name, reply): Msg, _: &mut Context<Msg>) -> Handled {
//!         assert!(!name.is_empty(), "nobody to greet"); // a panic here is an exit reason, and a restart
//!         drop(reply.send(format!("hello, {name}")));
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let system = System::new()?;
//! let (greeter, seat) = system.address();
//! let tree = one_for_one().limit(3, Duration::from_secs(5)).child(actor_in("greeter", seat, || Greeter));
//! tree.start(&system, "hello").await.map_err(|reason| reason.to_string())?;
//!
//! let crash = greeter.ask(|reply| Msg::Greet("", reply)).await;
//! assert!(matches!(crash, Err(AskError::Crashed(_))));
//! // The address is still good: somebody else sits behind it now.
//! assert_eq!(greeter.ask(|reply| Msg::Greet("world", reply)).await?, "hello, world");
//! assert!(system.shutdown(Duration::from_secs(5)).await.is_clean());
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "os-signals")]
pub mod os;

pub use minder_runtime::*;
pub use minder_supervisors as supervisors;

/// What most programs need.
pub mod prelude {
    pub use minder_runtime::{
        Actor, Addr, AskError, Context, ExitReason, Handled, Notice, Reply, Seat, System, TellError,
    };
    pub use minder_supervisors::{
        Child, Restart, Shutdown, Spec, actor, actor_in, one_for_all, one_for_one, rest_for_one, task, tree,
    };
}
