//! The plain model of a change of rules while a supervisor runs: three walks, one after the other, each of which blocks
//! where it has to wait. Who is touched is asked of each child by itself, in words.
//! Shares with the implementation only the words in which it is told how recipes relate.

use crate::harness::HELD;

use super::{Act, Answer, Input, Interrupt, Model, NewRules, Notes, own};
use minder_supervisors_core::{ChildRules, ChildState, Likeness, Part, Restart, Strategy};

/// What becomes of one of the new children.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Stays,
    IsChangedInside,
    IsDisabled,
    IsStarted,
}

impl Model<'_> {
    /// Nothing comes of it, and nobody hears of that, if whoever asks for each part does not ask for the first that counts.
    pub(super) fn change(&mut self, new: &NewRules) -> Result<Option<String>, Interrupt> {
        let old: Vec<usize> = (0..self.states.len()).filter(|&child| self.states[child].is_some()).collect();
        let now: Vec<Option<usize>> = new
            .rules
            .children()
            .iter()
            .map(|rules| old.iter().copied().find(|&child| self.children[child].id == rules.id))
            .collect();
        let cause = self.cause(new, &now);
        let thens: Vec<Then> = (0..now.len()).map(|place| self.then(new, &now, cause, place)).collect();

        // Whoever is changed inside is held first, and nothing is done unless all of them are.
        let inside: Vec<usize> = now
            .iter()
            .zip(&thens)
            .filter_map(|(was, then)| was.filter(|_| *then == Then::IsChangedInside))
            .collect();
        for (number, &child) in inside.iter().enumerate() {
            if !self.part(child, Part::Hold)? {
                self.acts.extend(inside[..number].iter().map(|&held| Act::LetGo(held)));
                return Ok(Some("stale".to_owned()));
            }
        }
        if new.in_parts && !self.is_asked_for_the_next()? {
            self.acts.extend(inside.into_iter().map(Act::LetGo));
            return Ok(None);
        }

        for &child in old.iter().rev() {
            let place = now.iter().position(|was| *was == Some(child));
            match place.map(|place| thens[place]) {
                Some(Then::Stays) => {}
                Some(Then::IsChangedInside) => drop(self.part(child, Part::Stops)?),
                then => {
                    self.stop(child)?;
                    self.finished[child] = false;
                    self.states[child] = match then {
                        None => {
                            self.acts.push(Act::Forget(child));
                            None
                        }
                        Some(Then::IsDisabled) => Some(ChildState::Disabled),
                        Some(_) => Some(ChildState::Gone),
                    };
                }
            }
        }

        let first = self.everybody_moves(new, &now);
        let grouped = new.rules.strategy() != Strategy::OneForOne;
        for (place, was) in now.iter().enumerate() {
            // Whoever is disabled too: what it has been sent belongs to the state that all of them have lost.
            let goes_along =
                cause.is_some_and(|cause| cause <= place || new.rules.strategy() == Strategy::OneForAll);
            if grouped && was.is_some() && goes_along {
                self.acts.push(Act::NewEpoch(first + place));
            }
        }

        if new.in_parts {
            self.is_asked_for_the_next()?;
        }
        let (mut failed, mut held_back, mut broken) = (String::new(), String::new(), false);
        for (place, then) in thens.into_iter().enumerate() {
            let (child, id) = (first + place, &new.rules.children()[place].id);
            match then {
                Then::Stays | Then::IsDisabled => {}
                Then::IsChangedInside => broken |= !self.part(child, Part::Starts)? && grouped,
                Then::IsStarted if broken => held_back += &format!(" not {id}"),
                Then::IsStarted => {
                    // Somebody asked for it: what was before does not matter.
                    self.notes[child] = Notes::default();
                    match self.start(child)? {
                        Answer::Up => {}
                        Answer::Ignore => self.down(child),
                        Answer::Failed(reason) => {
                            self.states[child] = Some(ChildState::Gone);
                            failed += &format!(" {id} {reason}");
                            broken = grouped;
                        }
                    }
                }
            }
        }
        for child in first..first + now.len() {
            if self.states[child] == Some(ChildState::Gone) {
                self.down(child);
            }
        }
        Ok(Some(format!("applied{failed}{held_back}")))
    }

    /// The first who lives, or is about to, and goes on by another recipe: it is restarted on purpose.
    fn cause(&self, new: &NewRules, now: &[Option<usize>]) -> Option<usize> {
        (0..now.len()).find(|&place| {
            let Some(child) = now[place] else { return false };
            matches!(self.states[child], Some(ChildState::Running | ChildState::Waiting))
                && new.likeness[place] == Likeness::Other
                && (self.children[child].is_disabled() || !new.rules.children()[place].is_disabled())
        })
    }

    fn then(&self, new: &NewRules, now: &[Option<usize>], cause: Option<usize>, place: usize) -> Then {
        let rules = &new.rules.children()[place];
        let Some(child) = now[place] else {
            return if rules.is_disabled() { Then::Stays } else { Then::IsStarted };
        };
        let state = self.states[child].expect("it stands");
        let was_disabled = self.children[child].is_disabled();
        if state == ChildState::Disabled {
            let enabled = was_disabled && !rules.is_disabled();
            return if enabled { Then::IsStarted } else { Then::Stays };
        }
        if rules.is_disabled() && !was_disabled {
            return Then::IsDisabled;
        }
        let disturbed = match (new.rules.strategy(), cause) {
            (_, None) | (Strategy::OneForOne, _) => false,
            (Strategy::OneForAll, Some(_)) => true,
            (Strategy::RestForOne, Some(first)) => first < place,
        };
        if disturbed || new.likeness[place] == Likeness::Other {
            return Then::IsStarted;
        }
        let stays = match state {
            ChildState::Running if new.likeness[place] == Likeness::Inside => return Then::IsChangedInside,
            ChildState::Running => true,
            ChildState::Waiting => rules.restart != Restart::Temporary,
            // Whoever has just fallen is down, if nobody has looked at it yet.
            _ => self.finished[child] && rules.restart == Restart::Transient,
        };
        if stays { Then::Stays } else { Then::IsStarted }
    }

    /// The new rules hold from here on, and everybody stands in another place, with what is remembered of it. Notices follow;
    /// attempts and times are asked for again, since those that are on their way name places that are none any more.
    fn everybody_moves(&mut self, new: &NewRules, now: &[Option<usize>]) -> usize {
        let first = self.states.len();
        self.own = own(&new.rules);
        for when in [&mut self.restarts, &mut self.let_off] {
            when.drain(..when.len().saturating_sub(self.own.limit as usize));
        }
        for (rules, was) in new.rules.children().iter().zip(now) {
            self.arrives(rules);
            if let Some(was) = *was {
                let child = self.states.len() - 1;
                self.states[child] = self.states[was].take();
                self.waits[child] = self.waits[was].take();
                self.notes[child] = std::mem::take(&mut self.notes[was]);
                self.finished[child] = std::mem::take(&mut self.finished[was]);
            }
        }
        let place = |child: usize| now.iter().position(|was| *was == Some(child)).map(|place| first + place);
        self.mailbox.retain_mut(|input| match input {
            Input::Exited(child, ..) => {
                *child = place(*child).expect("those of whoever is forgotten have been taken out");
                true
            }
            Input::Asked(_) => true,
            _ => false,
        });
        self.acts.push(Act::Rearrange((first..).zip(now.iter().copied()).collect()));
        let waiting: Vec<usize> = (first..self.states.len())
            .filter(|&child| self.states[child] == Some(ChildState::Waiting))
            .collect();
        let tried = waiting.iter().filter(|&&child| self.waits[child].is_none());
        self.acts.extend(tried.map(|&child| Act::TryAgain(child)));
        for child in waiting {
            if let Some(wait) = self.waits[child] {
                let (_, earliest, latest) = self.times[wait];
                self.waits_until(wait, child, earliest, latest);
            }
        }
        first
    }

    /// Has a part done within this child, which is up, and waits for that alone.
    fn part(&mut self, child: usize, part: Part) -> Result<bool, Interrupt> {
        self.acts.push(Act::Part(child, part));
        loop {
            match self.receive()? {
                Input::PartDone(who, done) if who == child => return Ok(done),
                other => self.save(other),
            }
        }
    }

    /// A part is over. Whoever asked for it hears that, and whoever asks for the next, if anybody does, hears what comes of that.
    fn is_asked_for_the_next(&mut self) -> Result<bool, Interrupt> {
        self.acts.push(Act::Answer(self.hearer, HELD.to_owned()));
        loop {
            match self.receive()? {
                Input::NextPart(asked) => {
                    if asked {
                        self.hearer = self.asked;
                        self.asked += 1;
                    }
                    return Ok(asked);
                }
                other => self.save(other),
            }
        }
    }

    /// A child that has not been there before, last of all.
    pub(super) fn arrives(&mut self, rules: &ChildRules) {
        self.states.push(Some(super::at_first(rules)));
        self.children.push(rules.clone());
        self.waits.push(None);
        self.notes.push(Notes::default());
        self.finished.push(false);
    }
}
