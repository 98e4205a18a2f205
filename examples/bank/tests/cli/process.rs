//! The bank as a process, with the binary as it is built: killed, started again, audited; and never left behind.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bank::config::BankConfig;
use bank::history::HISTORY_FILE;
use bank::process::{self, Faults, ProcessError, ProcessOptions, ProcessRunError, SOCKET_FILE};
use bank::redb_store::RedbStore;
use bank::workload::Workload;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::watch;

use crate::{BANK, bank_run, result, said};

#[test]
fn killed_three_times_nothing_is_lost() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let arguments = "--process --kills 3 --count 4000 --clients 32 --accounts 100 --partitions 2 --seed 3";
    let output = bank_run(dir.path(), arguments).output().expect("the binary can be started");
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    let report = result(dir.path());
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).unwrap_or(u64::MAX);
    assert_eq!(number("/process_kills"), 3, "{said}");
    assert!((1..=3).contains(&number("/process_kills_in_commit")), "{said}");
    let by_point = report["process_kills_by_point"].as_object().expect("an object");
    assert_eq!(by_point.values().filter_map(Value::as_u64).sum::<u64>(), 3, "{said}");
    assert_eq!((number("/acknowledged"), number("/audit/acknowledged_checked")), (4000, 4000), "{said}");
    assert_eq!((&report["audit"]["ok"], &report["stopped_cleanly"]), (&true.into(), &true.into()), "{said}");
    assert!(number("/process_recovery_us/p50") > 0, "{said}");
    assert!(said.contains("process kills") && said.contains("kill to first answer"), "{said}");
}

/// A run of `program` in `dir` with far more work than a test waits for.
fn options(program: &str, dir: &Path) -> (ProcessOptions, watch::Sender<bool>) {
    let shape = BankConfig::new(100, 2);
    drop(RedbStore::create(dir, shape).expect("an empty directory"));
    let (close, closing) = watch::channel(false);
    let options = ProcessOptions {
        program: program.into(),
        dir: dir.to_owned(),
        workload: Workload::new(1, 100_000_000, 8, &shape).expect("a bank of this shape can be"),
        input: None,
        closing,
        faults: Faults::None,
        kills: 0,
        history: dir.join(HISTORY_FILE),
        arguments: Vec::new(),
        show: false,
    };
    (options, close)
}

/// A connection to the bank in `dir`, as soon as it listens.
async fn connect(dir: &Path) -> UnixStream {
    loop {
        match UnixStream::connect(dir.join(SOCKET_FILE)).await {
            Ok(stream) => return stream,
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

/// Resolves when the process at the other end is gone, or has let go.
async fn until_gone(mut stream: UnixStream) {
    let gone = tokio::time::timeout(Duration::from_secs(30), stream.read(&mut [0])).await;
    assert!(matches!(gone, Ok(Ok(0) | Err(_))), "{gone:?}");
}

#[tokio::test]
async fn told_to_close_it_stops_in_order() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (options, close) = options(BANK, dir.path());
    let running = process::run(options, |answered| {
        if answered > 0 {
            close.send_replace(true);
        }
    });
    let (outcome, process) = running.await.expect("it runs and stops");
    assert!(outcome.answered > 0 && outcome.drained && process.kept.clean, "{process:?}");
    let audit =
        bank::audit::audit(dir.path(), Some(&dir.path().join(HISTORY_FILE))).expect("nobody has it open");
    assert!(audit.ok() && audit.acknowledged_checked == outcome.answered, "{audit:?}");
}

#[tokio::test]
async fn a_run_that_is_given_up_leaves_no_process_behind() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (options, _close) = options(BANK, dir.path());
    let mut running = Box::pin(process::run(options, |_| {}));
    let stream = tokio::select! {
        ended = &mut running => panic!("it must go on: {ended:?}"),
        stream = connect(dir.path()) => stream,
    };
    drop(running);
    until_gone(stream).await;
}

#[tokio::test]
async fn a_parent_that_is_killed_leaves_no_process_behind() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut parent = Command::new(BANK)
        .args(
            "run --process --kills 0 --count 100000000 --clients 8 --accounts 100 --partitions 2 --dir"
                .split(' '),
        )
        .arg(dir.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary can be started");
    let stream = connect(dir.path()).await;
    parent.kill().expect("it runs");
    parent.wait().expect("it was ours");
    until_gone(stream).await;
}

#[tokio::test]
async fn a_process_that_ends_of_itself_is_quoted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (options, _close) = options("/bin/sh", dir.path());
    let error = process::run(options, |_| {}).await.expect_err("a shell is no bank");
    assert!(matches!(error, ProcessRunError::Process(ProcessError::Died { life: 1, .. })), "{error}");
    let text = error.to_string();
    assert!(text.contains("ended of itself in its life 1") && text.contains("serve"), "{text}");
}

/// Between the child's word that it stands at its point and the kill, the parent itself may be killed.
#[tokio::test]
async fn a_process_at_its_kill_point_ends_with_its_parent() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    drop(RedbStore::create(dir.path(), BankConfig::new(100, 2)).expect("an empty directory"));
    let mut child = tokio::process::Command::new(BANK)
        .args("serve --partitions 2 --seed 1 --kill opened:0:1 --dir".split(' '))
        .arg(dir.path())
        .arg("--socket")
        .arg(dir.path().join(SOCKET_FILE))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary can be started");
    let mut said = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
    while let Some(line) = said.next_line().await.expect("text") {
        if line.contains(r#""at""#) {
            break;
        }
    }
    drop(child.stdin.take());
    let ended = tokio::time::timeout(Duration::from_secs(30), child.wait()).await;
    assert!(matches!(&ended, Ok(Ok(status)) if status.code() == Some(4)), "{ended:?}");
}
