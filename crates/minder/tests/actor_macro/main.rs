//! `#[actor]`: what it makes of a block, compared with what one would write by hand, and what it refuses.

mod calls;
mod generic;
mod hooks;
mod local;
mod messages;
mod placement;
mod refusals;
mod support;
mod twin;
