//! What OTP's processes do with links, monitors, signals, names and aliases, minder's actors do: every scenario of
//! `tests/otp/procs`, line by line.

use std::path::Path;

use minder_fault_injection::sim::Policy;
use minder_tests::compare::{parting, traces};
use minder_tests::procs;

/// In whichever order the actors are scheduled: what is not promised is not in a trace.
#[test]
fn every_scenario_leaves_the_trace_that_it_leaves_in_otp() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("otp/procs");
    let text =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let (mut compared, mut different) = (0, Vec::new());
    for entry in folder.read_dir().expect("the scenarios are in the repository") {
        let path = entry.expect("its folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "sc") {
            continue;
        }
        let scenarios = procs::read(&text(&path)).unwrap_or_else(|bad| panic!("{path:?}: {bad}"));
        let expected = text(&path.with_extension("trace"));
        let expected = traces(&expected);
        for policy in [Policy::Fifo, Policy::Seeded(1), Policy::Seeded(2), Policy::Seeded(3)] {
            let came: String = scenarios.iter().map(|scenario| procs::run_by(policy, scenario)).collect();
            let came = traces(&came);
            assert_eq!(came.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{path:?}");
            for (name, expected) in &expected {
                compared += 1;
                let differs = parting(expected, &came[name]);
                different.extend(differs.map(|at| format!("{name} {policy:?}, {at}")));
            }
        }
    }
    assert!(different.is_empty(), "{} of {compared} differ:\n{}", different.len(), different.join("\n"));
    assert_eq!(compared, 4 * 252);
}

/// What a scenario does is what its steps say: an answer that is wrong is not made good by how it is shown.
#[test]
fn a_scenario_shows_what_its_actors_do() {
    let scenario = "(procs it (steps (spawn a) (trap a yes) (spawn_link a b) (monitor a m b) (send b a hi) (raise b bad) \
                    (demonitor a m flush) (links a) (exit a shutdown:x) (link a b) (link c a)))";
    let expected = "procs it\nstep (spawn a)\n= ok\nstep (trap a yes)\n= false\nstep (spawn_link a b)\n= ok\n\
        step (monitor a m b)\n= ok\nstep (send b a hi)\na <- (msg b hi)\n= ok\nstep (raise b bad)\ndead b (error bad)\n\
        a <- (DOWN m b (error bad))\na <- (EXIT b (error bad))\n= ok\nstep (demonitor a m flush)\n\
        a -- (DOWN m b (error bad))\n= true\nstep (links a)\n= {}\nstep (exit a shutdown:x)\ndead a (shutdown x)\n= ok\n\
        step (link a b)\n= dead\nstep (link c a)\n= unknown\nend\n";
    let read = procs::read(scenario).expect("it is one");
    assert_eq!(read.iter().map(procs::run).collect::<String>(), expected);
}
