//! What a run has come to: numbers for `--json`, a table for people, and whether it may end with exit code 0.
//! A run that did nothing has proven nothing: it fails.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use comfy_table::{Table, presets};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::audit::Audit;
use crate::input::NamedLine;
use crate::pace::{Memory, Second};
use crate::process::ProcessReport;

/// The result of a run. Field names are those of the JSON file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Where all choices came from.
    pub seed: u64,
    /// Whether faults were to be fired.
    pub faults_planned: bool,
    /// Lines that were read of the file of transfers; 0 without one.
    pub lines_read: u64,
    /// Of these: bad ones, which were named and skipped.
    pub lines_skipped: u64,
    /// The first hundred of them.
    pub skipped: Vec<NamedLine>,
    /// What kept the file of transfers from being read to its end.
    pub input_error: Option<String>,
    /// Answers that clients received, of every kind; each was durable before.
    pub acknowledged: u64,
    /// Of these: transfers applied, now or before.
    pub applied: u64,
    /// Of these: refusals, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Of these: ids that were taken by other fields.
    pub conflicts: u64,
    /// Answers that were not what their client had to expect.
    pub unexpected: u64,
    /// How often the gateway sent something again.
    pub retried: u64,
    /// Faults that fired, by kind.
    pub faults_fired: BTreeMap<String, u64>,
    /// Faults that fired, by the actor type or supervisor that they hit.
    pub faults_by_actor: BTreeMap<String, u64>,
    /// Of all faults: those that hit an actor with work in hand.
    pub faults_with_work_in_hand: u64,
    /// Actors that were started again.
    pub restarts: u64,
    /// Supervisors that crashed.
    pub supervisor_crashes: u64,
    /// Supervisors that gave up and left it to their own.
    pub escalations: u64,
    /// How often the top supervisor ended and whoever ran the bank started it again.
    pub top_restarts: u64,
    /// What the bank's own auditor found while it worked.
    pub auditor_findings: Vec<String>,
    /// The kills of the bank's process, if it was one of its own.
    #[serde(flatten)]
    pub process: ProcessReport,
    /// Whether clients were given up because nobody was answered any more.
    pub stuck: bool,
    /// Whether the bank stopped in order and in time at the end.
    pub stopped_cleanly: bool,
    /// Whether the run was told to end early, and did.
    pub drained: bool,
    /// How the bank stopped, as text.
    pub shutdown: String,
    /// How long the clients were served.
    pub seconds: f64,
    /// Answers by these seconds.
    pub transfers_per_second: f64,
    /// The same over the last ten seconds, or all of them; nothing if it took less than one.
    pub rate_last_10s: Option<f64>,
    /// Whether memory grew after the first 200,000 answers; nothing if there were fewer, or where it is not known.
    pub memory: Option<Memory>,
    /// The run second by second.
    pub pace: Vec<Second>,
    /// From the first sending of an item to its answer, retries included.
    pub latency_us: Latency,
    /// From a crash to the next message that was handled in its place.
    pub recovery_us: Recovery,
    /// What the audit found.
    pub audit: AuditReport,
}

/// Percentiles of the clients' waiting, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Half were faster.
    pub p50: u64,
    /// One in a hundred was slower.
    pub p99: u64,
    /// One in a thousand was slower.
    pub p999: u64,
}

impl Latency {
    /// The percentiles of a histogram of microseconds.
    pub fn of(us: &Histogram<u64>) -> Self {
        Self {
            p50: us.value_at_quantile(0.5),
            p99: us.value_at_quantile(0.99),
            p999: us.value_at_quantile(0.999),
        }
    }
}

/// Percentiles of the time from a crash to the next handled message, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recovery {
    /// Half were faster.
    pub p50: u64,
    /// One in a hundred was slower.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
}

impl Recovery {
    /// The percentiles of a histogram of microseconds.
    pub fn of(us: &Histogram<u64>) -> Self {
        Self { p50: us.value_at_quantile(0.5), p99: us.value_at_quantile(0.99), max: us.max() }
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, max } = *self;
        write!(f, "p50 {}, p99 {}, max {}", duration(p50), duration(p99), duration(max))
    }
}

/// What the audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Whether everything held.
    pub ok: bool,
    /// What did not, as text; the first hundred.
    pub violations: Vec<String>,
    /// How many violations there were in all.
    pub violation_count: u64,
    /// Accounts checked.
    pub accounts: u64,
    /// Stored transfers replayed.
    pub transfers: u64,
    /// Answers held against the database.
    pub acknowledged_checked: u64,
}

impl From<&Audit> for AuditReport {
    fn from(audit: &Audit) -> Self {
        Self {
            ok: audit.ok(),
            violations: audit.violations.first().iter().map(ToString::to_string).collect(),
            violation_count: audit.violations.count(),
            accounts: audit.accounts,
            transfers: audit.transfers,
            acknowledged_checked: audit.acknowledged_checked,
        }
    }
}

impl Report {
    /// Why this run must not end with exit code 0; nothing if it may.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let mut unless = |holds: bool, sentence: String| {
            if !holds {
                failures.push(sentence);
            }
        };
        let fired: u64 = self.faults_fired.values().sum();
        let checked = self.audit.acknowledged_checked;
        unless(self.audit.ok, format!("the audit found {} violations", self.audit.violation_count));
        unless(self.input_error.is_none(), self.input_error.clone().unwrap_or_default());
        unless(
            self.acknowledged > 0 || self.drained,
            "nothing was acknowledged, so nothing was proven".into(),
        );
        unless(
            checked == self.acknowledged,
            format!("{} answers were acknowledged and {checked} were audited", self.acknowledged),
        );
        unless(
            self.unexpected == 0,
            format!("{} answers were not what their clients had to expect", self.unexpected),
        );
        unless(
            self.auditor_findings.is_empty(),
            format!("the bank's own auditor found: {}", self.auditor_findings.join("; ")),
        );
        unless(!self.stuck, "nobody was answered for half a minute, and the clients gave up".into());
        unless(self.stopped_cleanly, "the bank did not stop in order and in time".into());
        unless(
            // A run that was told to end early had to end, not to prove anything.
            !self.faults_planned || fired > 0 || self.drained,
            "faults were planned and none fired, so nothing was proven".into(),
        );
        if !self.drained {
            failures.extend(self.process.failures());
        }
        failures
    }

    /// Writes the JSON file.
    ///
    /// # Errors
    /// The operating system's.
    pub fn write_json(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer_pretty(&mut file, self)?;
        writeln!(file)?;
        file.flush()
    }

    /// The table for people. Its last lines are the verdict.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        let mut row = |name: &str, value: String| {
            table.add_row([name.to_owned(), value]);
        };
        row("seed", self.seed.to_string());
        if self.lines_read > 0 {
            row("lines read", grouped(self.lines_read));
            row("  bad, skipped", grouped(self.lines_skipped));
        }
        row("acknowledged", grouped(self.acknowledged));
        row("  applied", grouped(self.applied));
        row("  refused", by_name(&self.refused));
        row("  conflicts", grouped(self.conflicts));
        row("retried", grouped(self.retried));
        row("faults by kind", by_name(&self.faults_fired));
        row("faults by actor", by_name(&self.faults_by_actor));
        row("  with work in hand", grouped(self.faults_with_work_in_hand));
        let kills = &self.process;
        if kills.process_kills_planned > 0 {
            row("process kills (SIGKILL)", by_name(&kills.process_kills_by_point));
            row("  in the middle of a commit", grouped(kills.process_kills_in_commit));
            row("  kill to first answer", kills.process_recovery_us.to_string());
        }
        row("restarts", grouped(self.restarts));
        row("supervisor crashes", grouped(self.supervisor_crashes));
        row("escalations", grouped(self.escalations));
        row("top supervisor restarted", grouped(self.top_restarts));
        row("transfers/s", format!("{} in {:.1} s", grouped(self.transfers_per_second as u64), self.seconds));
        if let Some(rate) = self.rate_last_10s {
            row("  in the last 10 s", grouped(rate as u64));
        }
        let Latency { p50, p99, p999 } = self.latency_us;
        row("latency", format!("p50 {}, p99 {}, p99.9 {}", duration(p50), duration(p99), duration(p999)));
        row("crash to next handled", self.recovery_us.to_string());
        if let Some(Memory { settled_bytes, most_bytes }) = self.memory {
            let mib = |bytes| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
            row("memory", format!("{} after 200,000, then at most {}", mib(settled_bytes), mib(most_bytes)));
        }
        row("audit", self.audit.verdict());
        table.to_string()
    }
}

impl AuditReport {
    /// What it comes to, in a line, or some more if there is something wrong.
    pub fn verdict(&self) -> String {
        let Self { ok, violations, violation_count, accounts, transfers, acknowledged_checked } = self;
        let scope = format!(
            "{} accounts, {} transfers, {} answers",
            grouped(*accounts),
            grouped(*transfers),
            grouped(*acknowledged_checked)
        );
        if *ok {
            return format!("everything holds: {scope}");
        }
        const SHOWN: usize = 5;
        let mut lines = vec![format!("{} VIOLATIONS: {scope}", grouped(*violation_count))];
        lines.extend(violations.iter().take(SHOWN).cloned());
        let more = violation_count.saturating_sub(SHOWN as u64);
        if more > 0 {
            lines.push(format!("and {} more", grouped(more)));
        }
        lines.join("\n")
    }
}

/// A number that a person can read: 1,234,567.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The sum, and on a line each what it is made of, most first.
fn by_name(counts: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let lines = sorted.iter().map(|(name, count)| format!("\n  {name} {}", grouped(**count)));
    grouped(counts.values().sum()) + &lines.collect::<String>()
}

/// Microseconds in the unit that reads best.
fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} us"),
        1_000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        _ => format!("{:.2} s", us as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Report {
        Report {
            seed: 7,
            faults_planned: true,
            stopped_cleanly: true,
            acknowledged: 1_234_567,
            refused: BTreeMap::from([("overdraft".into(), 12), ("zero_amount".into(), 1300)]),
            faults_fired: BTreeMap::from([("panic".into(), 40)]),
            latency_us: Latency { p50: 999, p99: 1_500, p999: 2_340_000 },
            rate_last_10s: Some(50_123.4),
            memory: Some(Memory { settled_bytes: 64 << 20, most_bytes: 70 << 20 }),
            pace: vec![Second { at: 1.0, answered: 50_000, resident_bytes: Some(64 << 20) }],
            audit: AuditReport { ok: true, acknowledged_checked: 1_234_567, ..AuditReport::default() },
            ..Report::default()
        }
    }

    #[test]
    fn failures_are_sentences() {
        let audit = |change: fn(&mut AuditReport)| {
            let mut report = good();
            change(&mut report.audit);
            report
        };
        let rows: [(&str, Report, &str); 10] = [
            ("good", good(), ""),
            ("violations", audit(|a| (a.ok, a.violation_count) = (false, 3)), "the audit found 3 violations"),
            ("unchecked", audit(|a| a.acknowledged_checked = 9), "9 were audited"),
            (
                "nothing",
                Report {
                    acknowledged: 0,
                    audit: AuditReport { ok: true, ..AuditReport::default() },
                    ..good()
                },
                "nothing was acknowledged",
            ),
            (
                "finding",
                Report { auditor_findings: vec!["money was made".into()], ..good() },
                "money was made",
            ),
            ("stuck", Report { stuck: true, ..good() }, "nobody was answered"),
            ("killed", Report { stopped_cleanly: false, ..good() }, "did not stop in order"),
            ("unexpected", Report { unexpected: 2, ..good() }, "2 answers were not"),
            ("no fault", Report { faults_fired: BTreeMap::new(), ..good() }, "none fired"),
            (
                "no fault wanted",
                Report { faults_fired: BTreeMap::new(), faults_planned: false, ..good() },
                "",
            ),
        ];
        for (name, report, says) in rows {
            let failures = report.failures();
            assert_eq!(failures.len(), usize::from(!says.is_empty()), "{name}: {failures:?}");
            assert!(failures.concat().contains(says), "{name}: {failures:?}");
        }
    }

    #[test]
    fn the_json_has_the_promised_fields() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("report.json");
        good().write_json(&path).expect("writable");
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).expect("readable")).expect("JSON");
        for pointer in [
            "/seed",
            "/acknowledged",
            "/refused/overdraft",
            "/retried",
            "/faults_fired/panic",
            "/faults_by_actor",
            "/restarts",
            "/supervisor_crashes",
            "/escalations",
            "/transfers_per_second",
            "/rate_last_10s",
            "/memory/settled_bytes",
            "/memory/most_bytes",
            "/pace/0/answered",
            "/latency_us/p50",
            "/latency_us/p99",
            "/latency_us/p999",
            "/recovery_us/p50",
            "/recovery_us/p99",
            "/recovery_us/max",
            "/audit/ok",
            "/audit/violations",
        ] {
            assert!(json.pointer(pointer).is_some(), "{pointer} is not in {json}");
        }
    }

    #[test]
    fn the_table_can_be_read() {
        let table = good().table();
        for says in [
            "1,234,567",
            "1,312",
            "overdraft 12",
            "zero_amount 1,300",
            "p50 999 us, p99 1.5 ms, p99.9 2.34 s",
            "50,123",
            "64.0 MiB after 200,000, then at most 70.0 MiB",
        ] {
            assert!(table.contains(says), "{says} is not in\n{table}");
        }
        let mut bad = good();
        bad.audit.ok = false;
        bad.audit.violation_count = 7;
        bad.audit.violations = vec!["money was made".into(); 7];
        let table = bad.table();
        assert!(table.contains("7 VIOLATIONS") && table.contains("and 2 more"), "{table}");
    }

    #[test]
    fn percentiles_come_from_the_histogram() {
        let mut us = Histogram::<u64>::new(3).expect("three digits are allowed");
        for value in 1..=1000 {
            us.record(value).expect("it resizes itself");
        }
        assert_eq!(Latency::of(&us), Latency { p50: 500, p99: 990, p999: 999 });
        assert_eq!(Recovery::of(&us), Recovery { p50: 500, p99: 990, max: 1000 });
    }
}
