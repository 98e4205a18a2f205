//! The stage: asks all of the cast at once, tells them to leave when the last has answered, and answers when the last
//! has left.

use minder::prelude::*;

use crate::Outcome;
use crate::luvvy::{LuvvyCalls, LuvvyMsg};

#[derive(Debug, Default)]
pub(crate) struct Stage {
    cast: Vec<Addr<LuvvyMsg>>,
    named: Vec<Result<usize, String>>,
    left: usize,
    audience: Option<Reply<Outcome>>,
}

#[actor]
impl Stage {
    pub(crate) fn perform(
        &mut self,
        cast: Vec<Addr<LuvvyMsg>>,
        reply: Reply<Outcome>,
        context: &mut Context<StageMsg>,
    ) {
        for luvvy in &cast {
            context.monitor(luvvy);
            let luvvy = luvvy.clone();
            // Beside the handler, and so all at the same time.
            context.run("question", async move { luvvy.favourite().await }, |asked| {
                let answer = asked.map_err(|failed| failed.to_string());
                let named = answer.and_then(|answer| answer.map_err(|error| error.to_string())?);
                Named { named }
            });
        }
        self.cast = cast;
        self.audience = Some(reply);
    }

    #[tell]
    fn named(&mut self, named: Result<usize, String>) -> Result<(), TellError<LuvvyMsg>> {
        self.named.push(named);
        if self.named.len() == self.cast.len() {
            for luvvy in &self.cast {
                luvvy.leave().tell()?;
            }
        }
        Ok(())
    }

    fn notice(&mut self, notice: Notice) {
        if let Notice::Down(_) = notice {
            self.left += 1;
        }
        if self.left == self.cast.len()
            && let Some(audience) = self.audience.take()
        {
            drop(audience.send(self.named.drain(..).collect()));
        }
    }
}
