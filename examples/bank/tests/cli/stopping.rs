//! Signals: the first one drains and stops in order, the second one ends at once.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use bank::history::HISTORY_FILE;

use crate::{BANK, bank_run, result};

/// A run with far more work than a test waits for, which logs; returned once an actor was crashed under load.
fn under_load(dir: &Path, arguments: &str) -> (Child, BufReader<std::process::ChildStderr>) {
    std::fs::create_dir_all(dir).expect("it can be made");
    let endless = format!("--count 100000000 --log info {arguments}");
    let mut child = bank_run(dir, &endless)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let mut log = BufReader::new(child.stderr.take().expect("it is piped"));
    read_until(&mut log, "actor ended");
    (child, log)
}

fn read_until(log: &mut BufReader<std::process::ChildStderr>, text: &str) {
    let mut so_far = String::new();
    loop {
        let from = so_far.len();
        assert_ne!(log.read_line(&mut so_far).expect("it is text"), 0, "it ended before `{text}`: {so_far}");
        if so_far[from..].contains(text) {
            return;
        }
    }
}

/// Sends a signal with the system's own tool.
fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("there is a shell").success());
}

/// Reads what is left, so that the program is never held up, and waits for its end.
fn end(mut child: Child, mut log: BufReader<std::process::ChildStderr>) -> (ExitStatus, String, String) {
    let (mut out, mut rest) = (String::new(), String::new());
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| log.read_to_string(&mut rest));
        child.stdout.take().expect("it is piped").read_to_string(&mut out).expect("it is text");
        reading.join().expect("it only reads").expect("it is text");
    });
    (child.wait().expect("it can be waited for"), out, rest)
}

#[test]
fn a_signal_drains_and_every_acknowledged_transfer_is_there() {
    for (name, shown, arguments) in [
        ("TERM", "SIGTERM", "--plan one-kill-a-second"),
        ("INT", "Ctrl-C", "--plan one-kill-a-second"),
        ("TERM", "SIGTERM", "--plan one-kill-a-second --process --kills 2"),
    ] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (child, log) = under_load(dir.path(), arguments);
        signal(&child, name);
        let (status, out, err) = end(child, log);
        assert_eq!(status.code(), Some(0), "{out}\n{err}");
        assert!(err.contains(&format!("{shown}: finishing what was begun")), "{err}");
        assert!(out.contains("stopped in order in") && out.contains("nothing was lost"), "{out}");
        let report = result(dir.path());
        assert_eq!((&report["drained"], &report["audit"]["ok"]), (&true.into(), &true.into()), "{out}");
        assert!(report["acknowledged"].as_u64() > Some(0), "{out}");
        assert_eq!(report["acknowledged"], report["audit"]["acknowledged_checked"], "{out}");
        let audit =
            Command::new(BANK).arg("audit").arg(dir.path().join("bank")).output().expect("it can be started");
        assert!(audit.status.success(), "{}", crate::said(&audit));
    }
}

/// Ends a history where it was cut off, as its writer would have: what remains is what clients were told.
fn end_history(path: &Path) {
    let text = std::fs::read_to_string(path).expect("it is there");
    let whole = &text[..=text.rfind('\n').expect("it has a first line")];
    let answers = whole.lines().count() - 1;
    std::fs::write(path, format!("{whole}end {answers}\n")).expect("it can be written");
}

#[test]
fn a_second_signal_ends_it_at_once_and_what_was_acknowledged_is_there() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    // A store that hangs for good after a while: no drain comes to its end.
    let plan = dir.path().join("hangs.toml");
    let hangs = "[[fault]]\nkind = \"hang\"\non = \"bank/vault/store\"\nchance = 1.0\nafter = \"500ms\"\n";
    std::fs::write(&plan, hangs).expect("it can be written");
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let bank = dir.path().join(name);
        let (child, mut log) = under_load(&bank, &format!("--plan {}", plan.display()));
        signal(&child, "TERM");
        read_until(&mut log, "finishing what was begun");
        signal(&child, name);
        let (status, out, err) = end(child, log);
        assert_eq!(status.code(), Some(code), "{out}\n{err}");
        end_history(&bank.join("bank").join(HISTORY_FILE));
        let audit =
            Command::new(BANK).arg("audit").arg(bank.join("bank")).output().expect("it can be started");
        assert!(audit.status.success(), "{}", crate::said(&audit));
    }
}
