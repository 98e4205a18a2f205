//! How a test says whom it means: by an address, by a probe, or by a path in the tree.

use std::sync::Arc;

use minder::Addr;
use minder_runtime::hooks::Target;

use super::probe::Probe;
use crate::file::nearest;
use crate::sim::World;

/// One actor, as a test names it: `&Addr`, `&Probe`, or a path. Of a path its end will do if only one actor's path
/// ends so: `"counter"` for `app/counter`.
pub trait Whom {
    /// Who lives there now, or lived there last.
    #[doc(hidden)]
    fn found_in(&self, world: &World) -> Result<Found, String>;
}

/// An actor that was found.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Found {
    pub(super) path: Arc<str>,
    pub(super) target: Target,
    pub(super) generation: u32,
}

impl<M: Send + 'static> Whom for &Addr<M> {
    fn found_in(&self, _: &World) -> Result<Found, String> {
        let target = Target::at(self);
        Ok(Found { path: self.path(), generation: target.id().incarnation(), target })
    }
}

impl<M: Send + 'static> Whom for &Probe<M> {
    fn found_in(&self, world: &World) -> Result<Found, String> {
        self.address().found_in(world)
    }
}

impl Whom for &str {
    fn found_in(&self, world: &World) -> Result<Found, String> {
        let chronicle = world.shared.chronicle();
        let is_meant = |path: &&Arc<str>| {
            path.strip_suffix(self).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        let whole: Vec<&Arc<str>> = chronicle.paths().filter(|path| &***path == *self).collect();
        let meant = if whole.is_empty() { chronicle.paths().filter(is_meant).collect() } else { whole };
        match meant[..] {
            [path] => {
                let target = chronicle.latest_at(path).ok_or("a path is known by who lived there")?.clone();
                Ok(Found { path: path.clone(), generation: chronicle.lives_at(path), target })
            }
            [] => {
                let paths: Vec<&str> = chronicle.paths().map(|path| &**path).collect();
                let hint = nearest(self, &paths)
                    .map_or_else(String::new, |path| format!(", did you mean `{path}`?"));
                Err(format!("nobody has lived at `{self}`{hint}"))
            }
            _ => {
                let all: Vec<&str> = meant.iter().map(|path| &***path).collect();
                Err(format!("`{self}` may be any of {}: give more of the path", all.join(", ")))
            }
        }
    }
}

impl Whom for &String {
    fn found_in(&self, world: &World) -> Result<Found, String> {
        self.as_str().found_in(world)
    }
}
