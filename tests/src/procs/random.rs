//! Process scenarios by chance: the same line for the same seed and number. Everything that a step can be is written, also by
//! processes that may be dead by then and with names that were never made. Does not know what will come of a step.

use std::fmt::Write as _;

use fastrand::Rng;

const REASONS: [&str; 9] =
    ["boom", "normal", "shutdown", "shutdown:x", "killed", "kill", "noproc", "oops", "boom"];
/// Registered names; one is nobody's in OTP.
const NAMES: [&str; 5] = ["n1", "n2", "n3", "n1", "undefined"];

/// The scenario of this number.
pub fn scenario(seed: u64, number: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let rng = Rng::with_seed(rng.u64(..) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut author = Author { processes: 0, monitors: 0, aliases: 0, texts: 0, rng };
    let mut steps = String::new();
    for _ in 0..author.rng.u32(2..7) {
        let _ = write!(steps, " (spawn {})", author.new_process());
    }
    for at in 1..=author.processes {
        if author.chance(40) {
            let _ = write!(steps, " (trap p{at} yes)");
        }
    }
    // Some scenarios are mostly of one kind.
    let favourite = author.rng.u32(0..5);
    for _ in 0..author.rng.u32(6..26) {
        let kind = if author.chance(45) { favourite } else { author.rng.u32(0..5) };
        let step = match kind {
            0 => author.link_step(),
            1 => author.end_step(),
            2 => author.monitor_step(),
            3 => author.name_step(),
            _ => author.alias_step(),
        };
        let _ = write!(steps, " {step}");
    }
    for at in 1..=author.processes.min(3) {
        let _ = write!(steps, " (links p{at}) (monitors p{at})");
    }
    format!("(procs q{seed}-{number} (steps{steps}))")
}

/// How much of each there is: processes `p1`, `p2` …, monitors `m1` …, aliases `l1` ….
struct Author {
    processes: u32,
    monitors: u32,
    aliases: u32,
    texts: u32,
    rng: Rng,
}

impl Author {
    fn chance(&mut self, in_hundred: u32) -> bool {
        self.rng.u32(0..100) < in_hundred
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.rng.usize(0..of.len())]
    }

    fn new_process(&mut self) -> String {
        self.processes += 1;
        format!("p{}", self.processes)
    }

    fn new_monitor(&mut self) -> String {
        self.monitors += 1;
        format!("m{}", self.monitors)
    }

    /// One that was made, or one that never was.
    fn one_of(&mut self, letter: char, made: u32) -> String {
        let number = self.rng.u32(1..=made.max(1));
        if self.chance(2) { format!("{letter}99") } else { format!("{letter}{number}") }
    }

    fn process(&mut self) -> String {
        let made = self.processes;
        self.one_of('p', made)
    }

    fn monitor(&mut self) -> String {
        let made = self.monitors;
        self.one_of('m', made)
    }

    /// An alias, or a monitor, which may be one too.
    fn alias(&mut self) -> String {
        let made = self.aliases;
        if made == 0 || self.chance(45) { self.monitor() } else { self.one_of('l', made) }
    }

    fn text(&mut self) -> String {
        self.texts += 1;
        format!("t{}", self.texts)
    }

    fn link_step(&mut self) -> String {
        let (a, b) = (self.process(), self.process());
        match self.rng.u32(0..12) {
            0..=5 => format!("(link {a} {b})"),
            6 | 7 => format!("(unlink {a} {b})"),
            8 => format!("(spawn_link {a} {})", self.new_process()),
            9 => format!("(links {a})"),
            10 => format!("(trap {a} {})", self.pick(&["yes", "no", "yes"])),
            _ => format!("(trapping {a})"),
        }
    }

    fn end_step(&mut self) -> String {
        let (a, b, why) = (self.process(), self.process(), self.pick(&REASONS));
        match self.rng.u32(0..12) {
            0 | 1 => format!("(exit {a} {why})"),
            2 => format!("(raise {a} bad)"),
            3 => format!("(throw {a} ball)"),
            4 => format!("(return {a})"),
            5 => format!("(alive {a})"),
            6 => format!("(spawn {})", self.new_process()),
            7 => format!("(signal {a} {a} {why})"),
            _ => format!("(signal {a} {b} {why})"),
        }
    }

    fn monitor_step(&mut self) -> String {
        let (a, b) = (self.process(), self.process());
        match self.rng.u32(0..14) {
            0..=3 => format!("(monitor {a} {} {b})", self.new_monitor()),
            4 => format!("(monitor_tag {a} {} {b} GONE)", self.new_monitor()),
            5 => {
                let name = self.pick(&NAMES[..4]);
                format!("(monitor_name {a} {} {name})", self.new_monitor())
            }
            6 => {
                let monitor = self.new_monitor();
                format!("(spawn_monitor {a} {monitor} {})", self.new_process())
            }
            7..=10 => {
                let options = self.pick(&["", " flush", " info", " flush info", " info flush"]);
                format!("(demonitor {a} {}{options})", self.monitor())
            }
            11 => format!("(monitors {a})"),
            _ => {
                let text = self.text();
                format!("(send {a} {b} {text})")
            }
        }
    }

    fn name_step(&mut self) -> String {
        let (a, b, name) = (self.process(), self.process(), self.pick(&NAMES));
        match self.rng.u32(0..10) {
            0..=3 => format!("(register {a} {name} {b})"),
            4 => format!("(unregister {a} {name})"),
            5 => format!("(whereis {name})"),
            6 => {
                let name = self.pick(&NAMES[..4]);
                format!("(monitor_name {a} {} {name})", self.new_monitor())
            }
            _ => {
                let text = self.text();
                format!("(send_name {a} {name} {text})")
            }
        }
    }

    fn alias_step(&mut self) -> String {
        let (a, b) = (self.process(), self.process());
        match self.rng.u32(0..10) {
            0 | 1 => {
                self.aliases += 1;
                let kind = self.pick(&["", " reply", " explicit_unalias"]);
                format!("(alias {a} l{}{kind})", self.aliases)
            }
            2..=4 => {
                let ends = self.pick(&["explicit_unalias", "demonitor", "reply_demonitor"]);
                format!("(monitor_alias {a} {} {b} {ends})", self.new_monitor())
            }
            5 => format!("(unalias {a} {})", self.alias()),
            _ => {
                let text = self.text();
                format!("(send_alias {a} {} {text})", self.alias())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::read;
    use super::*;

    #[test]
    fn every_scenario_can_be_read_and_is_the_same_again() {
        for number in 0..2_000 {
            let line = scenario(7, number);
            assert_eq!(read(&line).map(|read| read.len()).map_err(|bad| bad.to_string()), Ok(1), "{line}");
            assert_eq!(line, scenario(7, number));
        }
        assert_ne!(scenario(7, 0), scenario(8, 0));
    }

    #[test]
    fn every_step_is_written_by_chance() {
        let text: String = (0..2_000).map(|number| scenario(1, number)).collect();
        for usage in super::super::scenario::STEPS {
            let verb = usage.split([' ', ')']).next().unwrap_or(usage);
            assert!(text.contains(&format!("{verb} ")), "{usage}");
        }
    }
}
