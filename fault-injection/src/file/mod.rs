//! Plans as TOML files: what may stand in one, and how it is read (`read.rs`), complained about (`problem.rs`, with the
//! nearest right word from `nearest.rs`) and written (`write.rs`).
//!
//! ```toml
//! name = "an example"           # for people; may be left out
//! seed = 42                     # of all draws; left out, the run's own seed counts
//!
//! [[fault]]
//! kind = "slow"                 # see below; a list stands for as many faults, each with a count and limit of its own
//! for = "5ms"                   # how long; with slow only
//! on = "bank/*/store"           # whom: a pattern of actor paths, or a list of them; ** is any number of segments
//! message = "StoreMsg"          # messages of this type only, not notices; * stands for anything
//! every = 120                   # when: exactly one of nth, every and chance
//! after = "2s"                  # not before; counting begins then
//! limit = 8                     # at most so often, over all actors that fit
//!
//! [[fault]]
//! kind = "kill"
//! on = "bank/**"
//! every = "1s"                  # a time instead of a count: about once in it, on each actor that fits
//! round_robin = true            # exactly once in it, each time on the next of them
//! ```
//!
//! | Kind | What happens |
//! |---|---|
//! | `panic-before`, `panic-in`, `panic-after` | a panic before, in or after the handling of a message or notice |
//! | `error` | the handler returns an error |
//! | `kill` | the actor is killed with the message in hand |
//! | `hang` | the handler never comes back; only for actors with a handler limit |
//! | `slow` | the handler sees the message late, by `for`; more than the handler limit kills the actor |
//! | `failed-start` | a start fails |
//! | `supervisor-step` | a supervisor panics between two of its steps |
//!
//! | When | What is counted |
//! |---|---|
//! | `nth = 3` | the third such point of each actor that fits, over its restarts, once |
//! | `every = 120` | about every 120th: the first among the first 120, then gaps of 60 to 180, drawn from the seed |
//! | `every = "1s"` | the same in time, by the system's clock, at the first point that comes when it is due |
//! | `every = "1s"`, `round_robin = true` | see [`Rule::in_turn`](crate::Rule::in_turn): who is idle in its turn is killed all the same |
//! | `chance = 0.01` | each with this probability, drawn from the seed |

mod nearest;
mod problem;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use nearest::nearest;
pub use problem::{PlanError, Problem};
