//! Supervisor scenarios by chance: the same line for the same seed, number and profile.
//!
//! Keeps away from what OTP leaves to chance or gets wrong itself: a child that hangs has a deadline and is never stopped by
//! request, a wait is far from the period, a label names one instance, an instance is ignored at its first start only. An
//! instance that died in a batch is not stopped by request there: to OTP it is a process that is gone, here an address that
//! is still good. Does not know what will come of a step.

use std::fmt::Write as _;

use fastrand::Rng;

use super::profile::{Profile, Taste};

/// The scenario of this number.
pub fn scenario(seed: u64, number: u64, profile: Profile) -> String {
    let mut rng = Rng::with_seed(seed);
    let mut rng = Rng::with_seed(rng.u64(..) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut author =
        Author { taste: profile.taste(), places: Vec::new(), flaws: 0, next: 0, rng: rng.fork() };
    let root = author.sup("root", 1);
    let steps = match author.taste.window {
        true => author.within(3..9),
        false => author.within(4..14),
    };
    let mut written = String::new();
    for _ in 0..steps {
        let step = author.step();
        let _ = write!(written, " {step}");
    }
    format!("(scenario s{seed}-{number}-{} {root} (steps{written} (which_children root)))", profile.name())
}

/// Where somebody may live.
#[derive(Clone, PartialEq)]
struct Place {
    path: String,
    kind: Kind,
}

#[derive(Clone, PartialEq)]
enum Kind {
    Worker,
    /// Its termination code never ends.
    Hanging,
    Static,
    /// A dynamic supervisor: whether the first start of an instance may fail, what each is, and how many there were.
    Dynamic {
        first_fails: bool,
        template: Box<Place>,
        instances: u32,
    },
}

impl Place {
    fn above_and_id(&self) -> (&str, &str) {
        self.path.rsplit_once('/').unwrap_or(("", &self.path))
    }

    fn is_supervisor(&self) -> bool {
        matches!(self.kind, Kind::Static | Kind::Dynamic { .. })
    }
}

const IDS: [&str; 6] = ["ann", "ben", "cat", "dan", "eve", "fay"];
const REASONS: [&str; 9] =
    ["boom", "oops", "normal", "shutdown", "shutdown:x", "error:bad", "boom", "killed", "noproc"];
const OUTCOMES: [&str; 9] =
    ["ok", "ok", "ok", "fail", "ignore", "raise", "fail:normal", "fail:shutdown", "fail:shutdown:x"];

struct Author {
    taste: Taste,
    places: Vec<Place>,
    /// How many flaws there are in the tree: one is seen, and hides others.
    flaws: u32,
    /// The next number that nobody has in an id.
    next: u32,
    rng: Rng,
}

impl Author {
    fn chance(&mut self, in_hundred: u32) -> bool {
        self.rng.u32(0..100) < in_hundred
    }

    fn within(&mut self, range: std::ops::Range<u32>) -> u32 {
        self.rng.u32(range)
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.rng.usize(0..of.len())]
    }

    /// Whether to put a flaw here: one in a tree, or in what a request brings.
    fn flaw(&mut self) -> bool {
        let is_flawed = self.flaws == 0 && self.chance(self.taste.flaws / 4);
        self.flaws += u32::from(is_flawed);
        is_flawed
    }

    // --- trees -------------------------------------------------------------------------------------------------

    /// A supervisor at this path, on this level.
    fn sup(&mut self, path: &str, level: u32) -> String {
        let dynamic = self.taste.dynamic;
        if self.chance(dynamic) {
            return self.dynamic(path, level);
        }
        self.places.push(Place { path: path.to_owned(), kind: Kind::Static });
        let mut text = "(sup".to_owned();
        if self.chance(70) {
            let strategy = self.pick(&["one_for_one", "one_for_all", "rest_for_one"]);
            let _ = write!(text, " (strategy {strategy})");
        }
        self.limit(&mut text);
        let auto = self.taste.auto;
        let auto = self.chance(auto);
        if auto {
            let when = self.pick(&["any_significant", "all_significant", "any_significant", "never"]);
            let _ = write!(text, " (auto_shutdown {when})");
        }
        let auto = auto && !text.ends_with("never)");
        if self.flaw() {
            let flaw = self.pick(&[
                "(strategy sideways)",
                "(intensity -1)",
                "(intensity many)",
                "(period 0)",
                "(period -5)",
                "(period soon)",
                "(auto_shutdown sometimes)",
                "(init ignore)",
                "(init raise)",
                "(init bad)",
            ]);
            text = replaced(text, flaw);
        }
        let mut ids = IDS;
        self.rng.shuffle(&mut ids);
        let count = if level == 1 { self.within(1..5) } else { self.within(0..4) } as usize;
        for id in &ids[..count] {
            let child = self.child(path, id, level, auto);
            let _ = write!(text, " {child}");
        }
        if count > 1 && self.flaw() {
            let id = ids[0];
            let _ = write!(text, " (child (id {id}))");
        }
        text + ")"
    }

    fn limit(&mut self, text: &mut String) {
        if self.taste.window {
            let intensity = self.within(0..4);
            let _ = write!(text, " (intensity {intensity}) (period 1)");
            return;
        }
        if self.chance(85) {
            let intensity = self.within(0..9);
            let _ = write!(text, " (intensity {intensity})");
        }
        // Five seconds, the default, may pass while children are slow to stop.
        if self.taste.slow > 0 || self.chance(80) {
            let period = self.pick(&["60", "3600"]);
            let _ = write!(text, " (period {period})");
        }
    }

    fn dynamic(&mut self, path: &str, level: u32) -> String {
        let mut text = "(sup (strategy simple_one_for_one)".to_owned();
        self.limit(&mut text);
        let here = self.places.len();
        let first_fails = self.chance(self.taste.fails / 2);
        let later_fails = self.chance(self.taste.fails);
        let mut starts = Vec::new();
        if first_fails {
            starts.push(self.pick(&OUTCOMES[3..]));
        }
        if later_fails {
            starts.extend(["ok", self.pick(&["fail", "raise", "fail:shutdown"]), "ok"]);
        } else if first_fails {
            starts.push("ok");
        }
        let template = self.template(path, level, &starts);
        let _ = write!(text, " {template}");
        if self.flaw() {
            match self.chance(50) {
                true => text.push_str(" (child (id another))"),
                false => text = text.replacen(&template, "", 1).trim_end().to_owned(),
            }
        }
        // What is beneath the template lives beneath instances only.
        let mut below = self.places.split_off(here);
        let template = Box::new(below.remove(0));
        let kind = Kind::Dynamic { first_fails, template, instances: 0 };
        self.places.push(Place { path: path.to_owned(), kind });
        text + ")"
    }

    fn template(&mut self, path: &str, level: u32, starts: &[&str]) -> String {
        let starts = match starts {
            [] => String::new(),
            starts => format!(" (starts {})", starts.join(" ")),
        };
        let restart = self.restart();
        if level < self.taste.depth && self.chance(25) {
            let place = format!("{path}/tmpl");
            self.places.push(Place { path: place.clone(), kind: Kind::Static });
            let ids = ["ann", "ben"];
            let children: String =
                ids[..self.within(1..3) as usize].iter().map(|id| format!(" (child (id {id}))")).collect();
            return format!(
                "(child (id tmpl) (type supervisor){restart}{starts} (sup (intensity 2) (period 3600){children}))"
            );
        }
        let (ending, hangs) = self.ending();
        let kind = if hangs { Kind::Hanging } else { Kind::Worker };
        self.places.push(Place { path: format!("{path}/tmpl"), kind });
        let flaw = self.child_flaw(&["(restart forever)", "(shutdown -10)", "(type thing)"]);
        replaced(format!("(child (id tmpl){restart}{ending}{starts})"), &flaw)
    }

    fn restart(&mut self) -> &'static str {
        self.pick(&["", " (restart permanent)", " (restart transient)", " (restart temporary)", ""])
    }

    /// A child of the supervisor at this path.
    fn child(&mut self, above: &str, id: &str, level: u32, auto: bool) -> String {
        let mut text = format!("(child (id {id})");
        let significant = auto && self.chance(60);
        if significant {
            let restart = self.pick(&["transient", "temporary"]);
            let _ = write!(text, " (restart {restart}) (significant true)");
        } else {
            text += self.restart();
            if self.chance(5) {
                text += " (significant false)";
            }
        }
        let fails = self.taste.fails;
        if self.chance(fails) {
            text += " (starts";
            let first = if self.chance(12) { self.pick(&OUTCOMES[3..]) } else { "ok" };
            let _ = write!(text, " {first}");
            for _ in 0..self.within(1..5) {
                let outcome = self.pick(&OUTCOMES);
                let _ = write!(text, " {outcome}");
            }
            text += ")";
        }
        let path = format!("{above}/{id}");
        if level < self.taste.depth && self.chance(45) {
            if !self.chance(4) {
                text += " (type supervisor)";
            }
            let shutdown = match self.taste.slow > 0 {
                // Killed half-way through the stop of slow children, it would race with their ends and its own reports.
                true => self.pick(&["", "", " (shutdown 3000)", " (shutdown infinity)"]),
                false => self.pick(&["", "", "", " (shutdown brutal_kill)", " (shutdown infinity)"]),
            };
            text += shutdown;
            let sup = self.sup(&path, level + 1);
            let _ = write!(text, " {sup}");
        } else {
            let (ending, hangs) = self.ending();
            text += &ending;
            let kind = if hangs { Kind::Hanging } else { Kind::Worker };
            self.places.push(Place { path, kind });
        }
        text += ")";
        let mut flaws = vec![
            "(restart forever)",
            "(shutdown -10)",
            "(shutdown soon)",
            "(type thing)",
            "(significant maybe)",
        ];
        match auto {
            true => flaws.push("(significant true) (restart permanent)"),
            false => flaws.push("(significant true) (restart transient)"),
        }
        flaws.push("no id");
        if significant {
            // Whether that is right depends on whom it is said to, and OTP looks at it before these: one flaw at a time.
            flaws.retain(|flaw| !["(shutdown", "(type"].iter().any(|late| flaw.starts_with(late)));
        }
        let flaw = self.child_flaw(&flaws);
        match flaw.as_str() {
            "no id" => text.replacen(&format!(" (id {id})"), "", 1),
            flaw => replaced(text, flaw),
        }
    }

    fn child_flaw(&mut self, flaws: &[&str]) -> String {
        if self.flaw() { self.pick(flaws).to_owned() } else { String::new() }
    }

    /// How a worker ends, and whether its termination code never does.
    fn ending(&mut self) -> (String, bool) {
        let slow = self.taste.slow;
        if !self.chance(slow) {
            let traps = if self.chance(30) { " (trap yes)" } else { "" };
            let shutdown = self.pick(&[
                "",
                "",
                "",
                "",
                " (shutdown brutal_kill)",
                " (shutdown infinity)",
                " (shutdown 2000)",
            ]);
            return (format!("{shutdown}{traps}"), false);
        }
        match self.rng.u32(0..6) {
            0 => (" (shutdown 40) (trap yes) (stop hang)".to_owned(), true),
            1 => (" (shutdown brutal_kill) (trap yes) (stop hang)".to_owned(), true),
            2 => (" (shutdown 40) (trap yes) (stop 700)".to_owned(), false),
            3 => (" (shutdown brutal_kill) (trap yes) (stop 30)".to_owned(), false),
            4 => (" (stop 700)".to_owned(), false),
            _ => {
                let shutdown = self.pick(&["", " (shutdown infinity)", " (shutdown 3000)"]);
                let time = self.within(5..45);
                (format!("{shutdown} (trap yes) (stop {time})"), false)
            }
        }
    }

    // --- steps -------------------------------------------------------------------------------------------------

    fn step(&mut self) -> String {
        let (batches, requests) = (self.taste.batches, self.taste.requests);
        if self.taste.window && self.chance(22) {
            return "(wait 2100)".to_owned();
        }
        if self.chance(batches) {
            return self.batch();
        }
        if self.chance(requests) {
            let at = self.a_supervisor();
            let (op, arguments) = self.request(at, false);
            return match arguments.is_empty() {
                true => format!("({op} {})", self.places[at].path),
                false => format!("({op} {} {arguments})", self.places[at].path),
            };
        }
        let place = self.somebody();
        let reason = self.pick(&REASONS);
        match self.rng.u32(0..100) {
            0 => format!("(exit_root {})", self.pick(&["shutdown", "normal", "boom"])),
            1 => "(kill root)".to_owned(),
            2 => "(wait 15)".to_owned(),
            3 => format!("(crash root/nobody {reason})"),
            4..=16 => format!("(kill {})", place.path),
            17..=28 => {
                let reason = if self.chance(15) { "kill" } else { reason };
                format!("(signal {} {reason})", place.path)
            }
            29..=40 if place.kind != Kind::Hanging => format!("(stop {} {reason})", place.path),
            // Only a worker crashes; now and then the answer to the attempt is looked at.
            _ if place.is_supervisor() && !self.chance(5) => format!("(kill {})", place.path),
            _ => format!("(crash {} {reason})", place.path),
        }
    }

    /// Somebody beneath the root, if there is anybody; an instance of a dynamic supervisor, if it has any.
    fn somebody(&mut self) -> Place {
        let at = self.rng.usize(0..self.places.len());
        let place = self.places[at].clone();
        match &place.kind {
            Kind::Dynamic { instances: 1.., .. } if !self.chance(10) => self.instance(&place),
            // Killed seldom: that ends the scenario.
            _ if place.path == "root" && !self.chance(6) && self.places.len() > 1 => self.somebody(),
            Kind::Static if !self.chance(25) && self.places.iter().any(|place| !place.is_supervisor()) => {
                self.somebody()
            }
            _ => place,
        }
    }

    fn instance(&mut self, pool: &Place) -> Place {
        let Kind::Dynamic { template, .. } = &pool.kind else { return pool.clone() };
        let label = format!("{}/{}", pool.path, self.label(pool));
        match template.kind {
            Kind::Static if self.chance(50) => {
                Place { path: format!("{label}/{}", self.pick(&["ann", "ben"])), kind: Kind::Worker }
            }
            ref kind => Place { path: label, kind: kind.clone() },
        }
    }

    /// Of an instance that was started there; the first, if there was none.
    fn label(&mut self, pool: &Place) -> String {
        match pool.kind {
            Kind::Dynamic { instances: most @ 1.., .. } => format!("#{}", self.rng.u32(1..=most)),
            _ => "#1".to_owned(),
        }
    }

    fn a_supervisor(&mut self) -> usize {
        let supervisors: Vec<usize> =
            (0..self.places.len()).filter(|at| self.places[*at].is_supervisor()).collect();
        supervisors[self.rng.usize(0..supervisors.len())]
    }

    /// The id of somebody who may be a child there, mostly.
    fn child_of(&mut self, path: &str) -> String {
        let ids: Vec<String> = self
            .places
            .iter()
            .filter(|place| place.path != path && place.above_and_id().0 == path)
            .map(|place| place.above_and_id().1.to_owned())
            .collect();
        match ids.is_empty() || self.chance(8) {
            true => "nobody".to_owned(),
            false => ids[self.rng.usize(0..ids.len())].clone(),
        }
    }

    /// A request to the supervisor of this number, and its arguments.
    fn request(&mut self, at: usize, after_a_death: bool) -> (&'static str, String) {
        let place = self.places[at].clone();
        match place.kind {
            Kind::Dynamic { first_fails, instances, .. } => {
                let label = self.label(&place);
                match self.rng.u32(0..10) {
                    // A first start that came to nothing leaves the label free.
                    0..=3 if first_fails && instances > 0 && !after_a_death && self.chance(25) => {
                        self.start_instance(at, Some(instances))
                    }
                    0..=3 => self.start_instance(at, None),
                    4 => ("which_children", String::new()),
                    5 => ("count_children", String::new()),
                    6 => (
                        self.pick_op(&["restart_child", "delete_child", "terminate_child"]),
                        "tmpl".to_owned(),
                    ),
                    7 => ("get_childspec", self.pick(&["tmpl", "nobody"]).to_owned()),
                    _ if instances == 0 || after_a_death => self.start_instance(at, None),
                    _ => ("terminate_child", label),
                }
            }
            _ => {
                let id = self.child_of(&place.path);
                match self.rng.u32(0..12) {
                    0 => ("which_children", String::new()),
                    1 => ("count_children", String::new()),
                    2 => ("get_childspec", id),
                    3 | 4 => ("delete_child", id),
                    5 | 6 => ("restart_child", id),
                    7..=9 => ("terminate_child", id),
                    _ => ("start_child", self.added(&place.path)),
                }
            }
        }
    }

    fn pick_op(&mut self, of: &[&'static str]) -> &'static str {
        of[self.rng.usize(0..of.len())]
    }

    /// A new instance, or once more the last whose first start may have failed.
    fn start_instance(&mut self, at: usize, again: Option<u32>) -> (&'static str, String) {
        let Kind::Dynamic { instances, first_fails, .. } = &mut self.places[at].kind else {
            return ("which_children", String::new());
        };
        let label = again.unwrap_or(*instances + 1);
        *instances = label;
        if again.is_some() {
            // It lives now, so its label is taken from here on.
            *first_fails = false;
        }
        ("start_dyn", format!("#{label}"))
    }

    /// The child that a request adds: a new one, or one whose id is known.
    fn added(&mut self, above: &str) -> String {
        self.flaws = 0;
        let known = self.child_of(above);
        if known != "nobody" && self.chance(45) {
            return format!("(child (id {known}){})", self.restart());
        }
        self.next += 1;
        let id = format!("new{}", self.next);
        let depth = self.taste.depth;
        let level = if self.chance(25) { depth.saturating_sub(1).max(1) } else { depth };
        let auto = self.taste.auto > 0 && self.chance(40);
        let child = self.child(above, &id, level, auto);
        self.flaws = 1;
        child
    }

    fn batch(&mut self) -> String {
        let at = self.a_supervisor();
        let place = self.places[at].clone();
        let mut text = format!("(batch {}", place.path);
        let mut after_a_death = false;
        for _ in 0..self.within(2..6) {
            let item = match self.chance(55) {
                true => {
                    after_a_death = true;
                    self.death(&place)
                }
                false => {
                    let (op, arguments) = self.request(at, after_a_death);
                    if arguments.is_empty() { format!("({op})") } else { format!("({op} {arguments})") }
                }
            };
            let _ = write!(text, " {item}");
        }
        text + ")"
    }

    /// The death of a child, as an item of a batch.
    fn death(&mut self, above: &Place) -> String {
        let id = match above.kind {
            Kind::Dynamic { instances: 1.., .. } => self.label(above),
            _ => self.child_of(&above.path),
        };
        let reason = self.pick(&REASONS);
        if self.chance(20) { format!("(kill {id})") } else { format!("(crash {id} {reason})") }
    }
}

/// The text with these fields in the place of those of the same key, or else at its end.
fn replaced(mut text: String, fields: &str) -> String {
    for field in fields.split_inclusive(')').map(str::trim).filter(|field| !field.is_empty()) {
        let key = field.split(' ').next().unwrap_or(field);
        let closed = text.ends_with(')') && text.starts_with("(child");
        if let Some(from) = text.find(&format!("{key} ")) {
            let to = from + text[from..].find(')').map_or(0, |at| at + 1);
            text.replace_range(from..to, field);
        } else if closed {
            text.insert_str(text.len() - 1, &format!(" {field}"));
        } else {
            text += &format!(" {field}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::scenario::read;
    use super::*;

    /// The parser knows every word that may be written, so a scenario that it reads is one.
    #[test]
    fn every_scenario_can_be_read_and_is_the_same_again() {
        for number in 0..2_200 {
            let profile = Profile::ALL[number as usize % Profile::ALL.len()];
            let line = scenario(7, number, profile);
            assert_eq!(read(&line).map(|read| read.len()), Ok(1), "{line}");
            assert_eq!(line, scenario(7, number, profile));
        }
        assert_ne!(scenario(7, 0, Profile::Mixed), scenario(8, 0, Profile::Mixed));
    }

    #[test]
    fn everything_that_can_be_written_is_written_by_chance() {
        let lines: Vec<String> =
            (0..4_000).map(|number| scenario(1, number, Profile::ALL[number as usize % 11])).collect();
        let text = lines.join("\n");
        let words = [
            "one_for_one)",
            "one_for_all)",
            "rest_for_one)",
            "simple_one_for_one)",
            "sideways",
            "any_significant",
            "all_significant",
            "permanent",
            "transient",
            "temporary",
            "brutal_kill",
            "(shutdown infinity)",
            "hang",
            "(type thing)",
            "(init raise)",
            "ignore",
            "raise",
            "fail:shutdown:x",
            "(trap yes)",
            "(crash ",
            "(kill ",
            "(signal ",
            "(stop ",
            "(exit_root ",
            "(start_child ",
            "(start_dyn ",
            "(terminate_child ",
            "(restart_child ",
            "(delete_child ",
            "(which_children ",
            "(count_children ",
            "(get_childspec ",
            "(wait ",
            "(batch ",
        ];
        for word in words {
            assert!(text.contains(word), "{word}");
        }
    }

    #[test]
    fn whoever_hangs_has_a_deadline_and_is_not_stopped_by_request() {
        for number in 0..3_000 {
            let line = scenario(2, number, if number % 2 == 0 { Profile::Slow } else { Profile::Mixed });
            for child in line.split("(child ").filter(|child| child.contains("(stop hang)")) {
                let child = child.split("(stop hang)").next().unwrap_or(child);
                assert!(
                    child.contains("(shutdown 40)") || child.contains("(shutdown brutal_kill)"),
                    "{line}"
                );
            }
        }
    }
}
