//! What the server is about: visits are counted, and tea takes its time.

use std::time::Duration;

use minder::prelude::*;

#[derive(Debug, Default)]
pub(crate) struct Visits(u64);

#[actor]
impl Visits {
    fn started(&mut self, context: &mut Context<VisitsMsg>) {
        context.ready(); // nothing has to be fetched
    }

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

/// Up at once, and ready when the water is in.
#[derive(Debug)]
pub(crate) struct Kettle;

#[actor]
impl Kettle {
    fn started(&mut self, context: &mut Context<KettleMsg>) {
        context.tell_self(Fill {});
    }

    #[tell]
    async fn fill(&mut self, context: &mut Context<KettleMsg>) {
        context.sleep(Duration::from_millis(50)).await;
        context.ready();
    }

    pub(crate) async fn boil(&mut self, context: &mut Context<KettleMsg>) {
        context.sleep(Duration::from_millis(300)).await;
    }
}
