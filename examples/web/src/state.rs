//! What the server is about: visits are counted, and tea takes its time.

use std::time::Duration;

use minder::prelude::*;

#[derive(Debug, Default)]
pub(crate) struct Visits(u64);

#[actor]
impl Visits {
    pub(crate) fn visit(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    pub(crate) fn count(&self) -> u64 {
        self.0
    }

    /// What a bug does: the next life begins at 0, at the same address.
    pub(crate) fn forget(&mut self) {
        panic!("forgot what it had counted");
    }
}

#[derive(Debug)]
pub(crate) struct Kettle;

#[actor]
impl Kettle {
    pub(crate) async fn boil(&mut self, context: &mut Context<KettleMsg>) {
        context.sleep(Duration::from_millis(300)).await;
    }
}
