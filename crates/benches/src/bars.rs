//! What minder has to reach beside bare tokio: the cost budget of the design, row by row.

use crate::figure::Figure;

const MEASURED: &str = "minder";

#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// At least so many times as fast as that subject; below 1, it may be slower.
    Faster { than: &'static str, times: f64 },
    /// At most so many of the bench's unit.
    AtMost(f64),
}

pub(crate) const BARS: &[(&str, Bar)] = &[
    ("tell", Bar::Faster { than: "tokio", times: 1.7 }),
    ("tell", Bar::Faster { than: "tokio-bounded", times: 3.0 }),
    ("fan-in-4", Bar::Faster { than: "tokio", times: 2.0 }),
    ("ping-pong", Bar::Faster { than: "tokio", times: 1.1 }),
    ("ring", Bar::Faster { than: "tokio", times: 1.1 }),
    ("ask", Bar::Faster { than: "tokio", times: 0.9 }),
    ("spawn", Bar::Faster { than: "tokio", times: 1.2 }),
    ("idle-bytes", Bar::AtMost(600.0)),
    ("idle-bytes-supervised", Bar::AtMost(1_000.0)),
    ("restart-error", Bar::Faster { than: "tokio", times: 0.5 }),
];

/// What the medians say about a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    Met {
        reached: f64,
    },
    /// `by` is how much more it costs than the bar allows, 0.1 being a tenth.
    Missed {
        reached: f64,
        by: f64,
    },
    /// One of the two was not measured.
    Unknown,
}

pub(crate) fn judge(figures: &[Figure], bench: &str, bar: Bar) -> Verdict {
    let median = |subject: &str| {
        let figure = figures.iter().find(|figure| figure.bench == bench && figure.subject == subject);
        figure.map(|figure| figure.median)
    };
    let Some(ours) = median(MEASURED) else { return Verdict::Unknown };
    let (reached, most) = match bar {
        Bar::Faster { than, times } => match median(than) {
            Some(theirs) => (theirs / ours, theirs / times),
            None => return Verdict::Unknown,
        },
        Bar::AtMost(most) => (ours, most),
    };
    if ours <= most { Verdict::Met { reached } } else { Verdict::Missed { reached, by: ours / most - 1.0 } }
}

#[test]
fn medians_are_held_against_bars() {
    let rows = [
        (100.0, 50.0, Bar::Faster { than: "tokio", times: 1.7 }, Verdict::Met { reached: 2.0 }),
        (100.0, 50.0, Bar::Faster { than: "tokio", times: 2.0 }, Verdict::Met { reached: 2.0 }),
        (100.0, 50.0, Bar::Faster { than: "tokio", times: 4.0 }, Verdict::Missed { reached: 2.0, by: 1.0 }),
        (100.0, 200.0, Bar::Faster { than: "tokio", times: 0.5 }, Verdict::Met { reached: 0.5 }),
        (100.0, 400.0, Bar::Faster { than: "tokio", times: 0.5 }, Verdict::Missed { reached: 0.25, by: 1.0 }),
        (100.0, 600.0, Bar::AtMost(600.0), Verdict::Met { reached: 600.0 }),
        (100.0, 900.0, Bar::AtMost(600.0), Verdict::Missed { reached: 900.0, by: 0.5 }),
        (100.0, 50.0, Bar::Faster { than: "ractor", times: 4.0 }, Verdict::Unknown),
    ];
    for (theirs, ours, bar, expected) in rows {
        let figures = [figure("tokio", theirs), figure(MEASURED, ours)];
        assert_eq!(judge(&figures, "tell", bar), expected, "{theirs} against {ours}, {bar:?}");
        assert_eq!(judge(&figures[..1], "tell", bar), Verdict::Unknown);
    }
}

#[cfg(test)]
fn figure(subject: &'static str, median: f64) -> Figure {
    Figure { bench: "tell", subject, unit: "ns/message", median, min: median, max: median, runs: 1 }
}
