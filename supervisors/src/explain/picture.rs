//! An explanation in words and a picture.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use minder_supervisors_core::{Restart, Shutdown, Strategy};

use super::layout::{Layout, Role};
use super::words::{Listed, brief, shown, thousands};
use super::{Bound, ExplainedAsk, ExplainedChild, Explanation, GiveUp, Regime, Then};

/// So many siblings that are alike are drawn one by one.
const FEW_ALIKE: usize = 4;

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        draw(&self.layout, f)?;
        writeln!(f, "\nTo stop all of it takes {}.", self.stop())?;

        let (mut alone, mut gone, mut others) = (BTreeMap::<_, Vec<_>>::new(), Vec::new(), Vec::new());
        for child in self.children() {
            match child.then {
                _ if child.left_down.is_some() => others.push(child),
                Then::Restarted if child.lost <= 1 && child.stops.is_empty() => {
                    alone.entry(child.wait).or_default().push(child.path)
                }
                Then::Forgotten | Then::StaysDown if child.lost <= 1 => gone.push(child.path),
                _ => others.push(child),
            }
        }
        f.write_str("\nIf a child crashes\n")?;
        for (wait, alone) in &alone {
            let after = wait.map_or(String::new(), |wait| format!(" after at most {}", brief(wait)));
            writeln!(
                f,
                "  It is started again alone{after}, and nobody else loses anything: {}.",
                Listed::of(alone)
            )?;
        }
        if !gone.is_empty() {
            writeln!(f, "  It is not started again, and nobody else loses anything: {}.", Listed::of(&gone))?;
        }
        for child in others {
            writeln!(f, "  {}", child.path)?;
            child.tell("    ", f)?;
        }

        let mut heading = "\nIf a child crashes again and again\n";
        for supervisor in self.supervisors().filter(|supervisor| !supervisor.gives_up.is_empty()) {
            writeln!(f, "{heading}  below {}", shown(&supervisor.path))?;
            tell_give_ups(&supervisor.gives_up, f)?;
            heading = "";
        }

        // Those of whom the same is to be said stand in one line.
        let mut asks: Vec<(Arc<str>, String, Vec<Arc<str>>)> = Vec::new();
        for ask in self.asks() {
            let remarks = ask.remarks();
            match asks.iter_mut().find(|(to, said, _)| *to == ask.to && *said == remarks) {
                Some((.., from)) => from.push(ask.from),
                None => asks.push((ask.to, remarks, vec![ask.from])),
            }
        }
        let asks: Vec<_> = asks
            .iter()
            .map(|(to, remarks, from)| (Listed::of(from).to_string(), shown(to), remarks))
            .collect();
        if !asks.is_empty() {
            f.write_str("\nWho asks whom\n")?;
        }
        let from_width = asks.iter().map(|(from, ..)| letters(from)).max().unwrap_or(0);
        let to_width = asks.iter().map(|(_, to, _)| letters(to)).max().unwrap_or(0);
        for (from, to, remarks) in asks {
            let line = format!("  {from:from_width$} asks {to:to_width$}  {remarks}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl Display for ExplainedChild {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "If {} crashes", self.path)?;
        self.tell("  ", f)?;
        if !self.gives_up.is_empty() {
            f.write_str("If it crashes again and again\n")?;
        }
        tell_give_ups(&self.gives_up, f)
    }
}

impl ExplainedChild {
    fn tell(&self, indent: &str, f: &mut Formatter<'_>) -> fmt::Result {
        if self.then != Then::Restarted {
            writeln!(f, "{indent}it {}", self.then)?;
        }
        if !self.stops.is_empty() {
            writeln!(f, "{indent}stops   {}: {}", Listed::of(&self.stops), self.stop)?;
        }
        if let Some(wait) = self.wait {
            writeln!(f, "{indent}waits   at most {} before it is started", brief(wait))?;
        }
        if !self.starts.is_empty() {
            writeln!(f, "{indent}starts  {}: {}", Listed::of(&self.starts), InStart(&self.start))?;
        }
        if let Some(left_down) = &self.left_down {
            let pace = left_down
                .longest
                .map_or("at all".to_owned(), |longest| format!("at least every {}", brief(longest)));
            writeln!(
                f,
                "{indent}limits  of its own leave it down at crash {}, if it crashes {pace}",
                left_down.crashes
            )?;
        }
        if let Some(ready) = &self.ready {
            writeln!(f, "{indent}ready   {ready} after that")?;
        }
        if !self.forgotten.is_empty() {
            writeln!(f, "{indent}forgets {}", Listed::of(&self.forgotten))?;
        }
        let Self { lost, of, .. } = self;
        writeln!(f, "{indent}loses   the state of {lost} of {of} ({:.0} %)", self.share() * 100.0)
    }
}

/// A start has a limit where it is given one, and most have none.
struct InStart<'a>(&'a Bound);

impl Display for InStart<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Bound::AtMost(_) => self.0.fmt(f),
            Bound::Unbounded(_) => f.write_str("no time limit"),
        }
    }
}

fn tell_give_ups(gives_up: &[GiveUp], f: &mut Formatter<'_>) -> fmt::Result {
    let every = |it: &GiveUp| match it.longest {
        Some(longest) => format!("at least every {}", brief(longest)),
        None => "at all".to_owned(),
    };
    let width = gives_up.iter().map(|it| letters(&every(it))).max().unwrap_or(0);
    for it in gives_up {
        let GiveUp { supervisor, crashes, then, .. } = it;
        let when = every(it);
        write!(f, "    {when:width$}  {} gives up at crash {}", shown(supervisor), thousands(*crashes))?;
        match it.within {
            Some(within) if !within.is_zero() => write!(f, ", within {}", brief(within))?,
            _ => {}
        }
        writeln!(f, ", and {then}")?;
    }
    match gives_up.first().and_then(|nearest| nearest.longest) {
        Some(_) => {
            writeln!(f, "    {:width$}  it is started again for ever, and nobody gives up", "more seldom")
        }
        None => Ok(()),
    }
}

impl ExplainedAsk {
    fn remarks(&self) -> String {
        let mut remarks = Vec::new();
        if self.up {
            remarks.push("a supervisor above it".to_owned());
        }
        if self.later {
            remarks.push("which starts after it".to_owned());
        }
        if let Some(supervisor) = &self.purged_by {
            remarks.push(format!("purged when {} restarts a group without it", shown(supervisor)));
        }
        remarks.join("; ")
    }
}

impl Display for Then {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Restarted => "is started again",
            Self::RestartedEmpty => "is started again, without its instances",
            Self::StaysDown => "stays down: it is transient, and giving up is no abnormal end",
            Self::Forgotten => "is forgotten: it is temporary",
            Self::EndsSupervisor => "ends its supervisor: it is significant",
            Self::EndsSupervisorIfLast => "ends its supervisor if it is the last significant child",
            Self::EndsTree => "the tree ends",
        })
    }
}

impl Display for Regime {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fixed(Strategy::OneForOne) => "one-for-one",
            Self::Fixed(Strategy::OneForAll) => "one-for-all",
            Self::Fixed(Strategy::RestForOne) => "rest-for-one",
            Self::ByNeeds => "by needs",
            Self::Dynamic => "dynamic",
        })
    }
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

/// A line of the picture: the child's id in the tree, what it is, when it is restarted, how it is stopped.
type Row = [String; 4];

/// The tree, with what each child is and how it is stopped.
fn draw(layout: &Layout, f: &mut Formatter<'_>) -> fmt::Result {
    let mut rows = vec![[shown("").to_owned(), of_supervisor(layout, 0), String::new(), String::new()]];
    draw_below(layout, 0, "", &mut rows);
    let widths: Vec<usize> =
        (0..4).map(|column| rows.iter().map(|row| letters(&row[column])).max().unwrap_or(0)).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// `trunk`: the lines left of these children.
fn draw_below(layout: &Layout, place: usize, trunk: &str, rows: &mut Vec<Row>) {
    let mut rest = &layout.at(place).children[..];
    while let Some(&child) = rest.first() {
        let said = said_of(layout, child);
        let leaf = layout.at(child).children.is_empty();
        let alike = rest.iter().take_while(|next| leaf && said_of(layout, **next) == said).count().max(1);
        // Many that are alike: the first, how many more, and the last.
        let shown = if alike > FEW_ALIKE { 1 } else { alike };
        let skipped = alike - shown;
        for &sibling in &rest[..shown] {
            let is_last = skipped == 0 && rest.last() == Some(&sibling);
            let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let [what, restart, stop] = said_of(layout, sibling);
            rows.push([format!("{trunk}{branch}{}", layout.at(sibling).rules.id), what, restart, stop]);
            draw_below(layout, sibling, &format!("{trunk}{below}"), rows);
        }
        if skipped > 0 {
            let branch = if rest.len() == alike { "└─ " } else { "├─ " };
            let last = &layout.at(rest[alike - 1]).rules.id;
            let [_, restart, stop] = said;
            rows.push([
                format!("{trunk}{branch}… {last}"),
                format!("{skipped} more of these"),
                restart,
                stop,
            ]);
        }
        rest = &rest[alike..];
    }
}

fn said_of(layout: &Layout, place: usize) -> [String; 3] {
    let node = layout.at(place);
    let what = match node.role {
        _ if node.disabled => "disabled".to_owned(),
        _ if node.in_vain && !node.up => "waits for who is disabled".to_owned(),
        _ if !node.up => "no process".to_owned(),
        _ if layout.is_instance(place) && node.count == 0 => "any instance".to_owned(),
        _ if layout.is_instance(place) && node.count == 1 => "1 instance".to_owned(),
        _ if layout.is_instance(place) => format!("{} instances", thousands(node.count as u64)),
        Role::Unknown => "not known before it starts".to_owned(),
        Role::Worker => String::new(),
        Role::Supervisor(_) => of_supervisor(layout, place),
    };
    let restart = match node.rules.restart {
        Restart::Permanent => "permanent",
        Restart::Transient => "transient",
        Restart::Temporary => "temporary",
    };
    let stop = match (node.rules.shutdown, layout.stop_of(place)) {
        (Shutdown::BrutalKill, _) => "killed at once".to_owned(),
        (_, Bound::AtMost(time)) => format!("stops within {}", brief(time)),
        (_, Bound::Unbounded(_)) => "stops without limit".to_owned(),
    };
    let significant = if node.rules.significant { ", significant" } else { "" };
    [what, format!("{restart}{significant}"), stop]
}

fn of_supervisor(layout: &Layout, place: usize) -> String {
    let said =
        |it: &super::Ruling| format!("{}, {} in {}", it.regime, it.level.limit, brief(it.level.period));
    layout.ruling(place).map(said).unwrap_or_default()
}
