//! One of the cast: knows whom it likes, and can find out by asking who is popular.

use minder::prelude::*;

/// How a luvvy finds out what it has to ask others for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Somebody else asks, and it goes on answering meanwhile.
    Delegating,
    /// It asks, and waits.
    Waiting,
}

/// Taste cannot be accounted for, but it does not change.
pub(crate) fn likes(one: usize, other: usize) -> bool {
    one != other && (one * 7 + other * 3) % 5 < 2
}

#[derive(Debug)]
pub(crate) struct Luvvy {
    me: usize,
    cast: Vec<Addr<LuvvyMsg>>,
    manner: Manner,
}

impl Luvvy {
    pub(crate) fn new(me: usize, cast: Vec<Addr<LuvvyMsg>>, manner: Manner) -> Self {
        Self { me, cast, manner }
    }
}

/// How many of them like this one.
async fn fans(of: usize, cast: Vec<Addr<LuvvyMsg>>, me: usize) -> Result<u32, String> {
    let mut fans = 0;
    for (number, other) in cast.iter().enumerate().filter(|(number, _)| *number != me) {
        let likes = other.likes(of).await.map_err(|error| format!("luvvy-{number}: {error}"))?;
        fans += u32::from(likes);
    }
    Ok(fans)
}

/// Who of them is the most popular: the first of those with the most fans.
async fn favourite(cast: Vec<Addr<LuvvyMsg>>, me: usize) -> Result<usize, String> {
    let mut best = (0, 0);
    for (number, other) in cast.iter().enumerate() {
        let popularity = if number == me {
            fans(me, cast.clone(), me).await?
        } else {
            other.popularity().await.map_err(|error| error.to_string())??
        };
        if popularity > best.1 {
            best = (number, popularity);
        }
    }
    Ok(best.0)
}

#[actor]
impl Luvvy {
    pub(crate) fn likes(&self, other: usize) -> bool {
        likes(self.me, other)
    }

    pub(crate) async fn popularity(
        &mut self,
        reply: Reply<Result<u32, String>>,
        context: &mut Context<LuvvyMsg>,
    ) {
        let asking = fans(self.me, self.cast.clone(), self.me);
        match self.manner {
            Manner::Delegating => context.delegate(reply, asking),
            Manner::Waiting => drop(reply.send(asking.await)),
        }
    }

    pub(crate) async fn favourite(
        &mut self,
        reply: Reply<Result<usize, String>>,
        context: &mut Context<LuvvyMsg>,
    ) {
        let asking = favourite(self.cast.clone(), self.me);
        match self.manner {
            Manner::Delegating => context.delegate(reply, asking),
            Manner::Waiting => drop(reply.send(asking.await)),
        }
    }

    pub(crate) fn leave(&mut self, context: &mut Context<LuvvyMsg>) {
        context.stop(ExitReason::Normal);
    }
}
