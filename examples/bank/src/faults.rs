//! The fault plans that come with the bank, as files in `plans/`, and the choice of the one to run under.
//! The default plan counts messages, so it is made to fit the run; a plan of the user's is taken as it stands.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use minder_fault_injection::{Plan, PlanError, Rule, nearest};

use crate::exit::Exit;

/// The plan that a run follows unless told otherwise.
pub const DEFAULT: &str = "default";

/// Every plan that comes with the bank, by name.
pub const SHIPPED: [(&str, &str); 2] = [
    (DEFAULT, include_str!("../plans/default.toml")),
    ("one-kill-a-second", include_str!("../plans/one-kill-a-second.toml")),
];

/// Which plan `bank plan` prints.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PlanArgs {
    /// The plan: default, or one-kill-a-second
    #[arg(default_value = DEFAULT)]
    pub name: String,
}

/// `bank plan`: prints a plan that comes with the bank, as it stands in its file.
pub fn print(args: &PlanArgs) -> ExitCode {
    match shipped(&args.name) {
        Ok(text) => {
            print!("{text}");
            Exit::Clean.into()
        }
        Err(error) => {
            eprintln!("bank: {error}");
            Exit::BadConfiguration.into()
        }
    }
}

/// What the default plan's file is written for: transfers, clients, partitions.
const WRITTEN_FOR: Size = Size { count: 120_000, clients: 256, partitions: 4 };

/// The measures of a run that say how many messages each actor gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many transfers.
    pub count: u64,
    /// By how many clients, each one transfer at a time.
    pub clients: u32,
    /// On how many partitions.
    pub partitions: u16,
}

/// Why there is no plan to follow.
#[derive(Debug)]
#[non_exhaustive]
pub enum NoPlan {
    /// No plan of this name comes with the bank.
    NotShipped(String),
    /// The file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// The file is no plan.
    Bad(PlanError),
}

impl fmt::Display for NoPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = SHIPPED.map(|(name, _)| name);
        let hint = |f: &mut fmt::Formatter<'_>, name: &str| {
            write!(f, "; the plans that come with the bank are {}", names.join(", "))?;
            match nearest(name, &names) {
                Some(name) => write!(f, "; did you mean `{name}`?"),
                None => Ok(()),
            }
        };
        match self {
            Self::NotShipped(name) => {
                write!(f, "there is no plan `{name}`")?;
                hint(f, name)
            }
            Self::Unreadable(path, error) => {
                write!(f, "the plan {} cannot be read: {error}", path.display())?;
                if error.kind() == io::ErrorKind::NotFound {
                    hint(f, &path.to_string_lossy())
                } else {
                    Ok(())
                }
            }
            Self::Bad(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NoPlan {}

/// The text of a plan that comes with the bank.
///
/// # Errors
/// [`NoPlan::NotShipped`].
pub fn shipped(name: &str) -> Result<&'static str, NoPlan> {
    let found = SHIPPED.iter().find(|(shipped, _)| *shipped == name);
    found.map(|(_, text)| *text).ok_or_else(|| NoPlan::NotShipped(name.to_owned()))
}

/// The plan of a run: the default one, made to fit it, or another one as [`named`] finds it.
///
/// # Errors
/// See [`NoPlan`].
pub fn chosen(plan: Option<&Path>, seed: u64, size: Size) -> Result<Plan, NoPlan> {
    match plan.filter(|path| path.as_os_str() != DEFAULT) {
        Some(path) => named(path, seed),
        None => Ok(default_plan(seed, size.count, size.clients, size.partitions)),
    }
}

/// The plan that comes with the bank under this name, or else the one in this file, as it stands. A file that has the
/// name of a plan of the bank's is reached as `./name`. `seed` counts unless the plan has its own.
///
/// # Errors
/// See [`NoPlan`].
pub fn named(path: &Path, seed: u64) -> Result<Plan, NoPlan> {
    let name = path.to_string_lossy();
    let plan = match shipped(&name) {
        Ok(text) => Plan::from_toml(text, &name),
        Err(_) => {
            let text =
                fs::read_to_string(path).map_err(|error| NoPlan::Unreadable(path.to_owned(), error))?;
            Plan::from_toml(&text, &name)
        }
    };
    plan.map(|plan| plan.or_seed(seed)).map_err(NoPlan::Bad)
}

/// The default plan for a run of so many transfers by so many clients.
pub fn default_plan(seed: u64, count: u64, clients: u32, partitions: u16) -> Plan {
    let size = Size { count, clients: clients.max(1), partitions: partitions.max(1) };
    let (_, text) = SHIPPED[0];
    let plan = Plan::from_toml(text, DEFAULT).expect("a test reads every plan that comes with the bank");
    plan.scaled(|rule| factor(rule, size)).or_seed(seed)
}

/// How many times as many messages as in the run that the plan is written for the actors of a rule get: the front one
/// for each transfer; a ledger its share of them; the store one for each group, and no group holds more than all clients
/// together have under way. How often the others get to their points depends on time, and on how much is crashed.
fn factor(rule: &Rule, size: Size) -> f64 {
    if !rule.kind().strikes_in_hand() {
        return 1.0;
    }
    let per_front = |size: Size| size.count as f64;
    let per_ledger = |size: Size| size.count as f64 / f64::from(size.partitions);
    let per_store = |size: Size| size.count as f64 / f64::from(size.clients);
    let is_for = |start: &str| rule.patterns().iter().all(|pattern| pattern.starts_with(start));
    if is_for("bank/front/") {
        per_front(size) / per_front(WRITTEN_FOR)
    } else if is_for("bank/vault/ledgers/") {
        per_ledger(size) / per_ledger(WRITTEN_FOR)
    } else if is_for("bank/vault/store") {
        per_store(size) / per_store(WRITTEN_FOR)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use minder_fault_injection::{Kind, fault};

    use super::*;

    #[test]
    fn what_comes_with_the_bank_is_read_and_goes_there_and_back() {
        for (name, text) in SHIPPED {
            let plan = Plan::from_toml(text, name).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(plan.name(), Some(name));
            assert_eq!(plan.seed(), None, "{name} takes the run's");
            assert_eq!(Plan::from_toml(&plan.to_toml(), name), Ok(plan));
        }
        let once_a_second = fault(Kind::Kill).on("bank/**").in_turn(Duration::from_secs(1));
        let plan = chosen(Some(Path::new("one-kill-a-second")), 3, WRITTEN_FOR).expect("it is shipped");
        assert_eq!((plan.rules(), plan.seed()), (&[once_a_second][..], Some(3)));
    }

    #[test]
    fn the_default_plan_has_every_kind_and_fits_the_run() {
        let as_written = Plan::from_toml(SHIPPED[0].1, DEFAULT).expect("it is read above");
        let plan = chosen(None, 9, WRITTEN_FOR).expect("it is shipped");
        assert_eq!(plan, as_written.clone().or_seed(9), "the default run is what it is written for");
        assert_eq!(chosen(Some(Path::new("default")), 9, WRITTEN_FOR).ok(), Some(plan.clone()));
        for kind in Kind::ALL {
            assert!(plan.rules().iter().any(|rule| rule.kind() == kind), "{kind}");
        }
        let rows = [
            ("bank/front/gateway", Size { count: 12_000, ..WRITTEN_FOR }, 4_216, 3),
            ("bank/front/gateway", Size { count: 1_200_000, ..WRITTEN_FOR }, 133_330, 8),
            ("bank/front/gateway", Size { clients: 1, partitions: 1, ..WRITTEN_FOR }, 13_333, 8),
            ("bank/vault/ledgers/ledger-*", Size { partitions: 2, ..WRITTEN_FOR }, 18_000, 10),
            ("bank/vault/store", Size { clients: 512, ..WRITTEN_FOR }, 74, 6),
            ("bank/vault/store", Size { count: 100, ..WRITTEN_FOR }, 3, 1),
            ("bank/vault", Size { count: 100, ..WRITTEN_FOR }, 80, 3),
        ];
        for (on, size, every, limit) in rows {
            let plan = chosen(None, 1, size).expect("it is shipped");
            let rule = plan.rules().iter().find(|rule| rule.patterns() == [on] && rule.kind() == Kind::Kill);
            let expected = fault(Kind::Kill).on(on).every(every).limit(limit);
            assert_eq!(rule, Some(&expected), "{on} {size:?}");
        }
    }

    #[test]
    fn a_plan_of_ones_own_is_taken_as_it_stands() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("mine.toml");
        let choose = || chosen(Some(&path), 5, Size { count: 10, ..WRITTEN_FOR });
        assert!(choose().expect_err("it is not there yet").to_string().contains("mine.toml cannot be read"));
        fs::write(&path, "[[fault]]\nkind = \"kill\"\non = \"bank/vault/store\"\nevery = 104\n")
            .expect("writable");
        let expected = Plan::seeded(5).with(fault(Kind::Kill).on("bank/vault/store").every(104));
        assert_eq!(choose().ok(), Some(expected));
        fs::write(&path, "[[fault]]\nkind = \"kill\"\non = \"bank/vault/store\"\nevry = 104\n")
            .expect("writable");
        let error = choose().expect_err("a word is misspelt").to_string();
        assert!(error.contains("mine.toml:4:1: `evry` of fault 1") && error.ends_with("`every`?"), "{error}");
    }

    #[test]
    fn a_name_that_is_nearly_one_is_understood() {
        let error = shipped("one-kil-a-second").expect_err("not quite").to_string();
        assert!(error.ends_with("did you mean `one-kill-a-second`?"), "{error}");
        let error =
            chosen(Some(Path::new("defaults")), 1, WRITTEN_FOR).expect_err("no such file").to_string();
        assert!(error.contains("cannot be read") && error.ends_with("did you mean `default`?"), "{error}");
    }
}
