//! Files to events and alerts, offline: told apart by content, merged by time, cut and hostile.

mod files;

use std::path::PathBuf;

use files::{Folder, datagram, ids, line, pack, pcap, shown};
use vigla_core::pipeline::replay::{Replay, sources};
use vigla_core::pipeline::settings::Settings;
use vigla_core::pipeline::{events, explain};

fn alerts(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    let mut replay = Replay::new(&Settings::default(), pack(), paths).unwrap();
    let mut all = Vec::new();
    while !replay.finished() {
        all.extend(replay.poll(3));
    }
    all
}

fn refusal(path: &std::path::Path) -> String {
    Replay::new(&Settings::default(), pack(), &[path.to_owned()])
        .err()
        .unwrap()
        .to_string()
}

#[test]
fn inputs_are_merged_by_time_whatever_the_order_of_arguments() {
    let folder = Folder::new("merge");
    // Alone, neither file has three notes within a minute; together they do, at second 20.
    let a = folder.file(
        "a.log",
        line(0, "x", "note") + &line(20, "x", "note") + &line(30, "y", "bad"),
    );
    let b = folder.file("b.log", line(10, "x", "note") + &line(25, "y", "bad"));
    let forward = alerts(&[a.clone(), b.clone()]);
    // A correlation is known when no earlier event can come, and stands where its window ends.
    assert_eq!(shown(&forward), ["many@20", "fail@25", "fail@30"]);
    assert_eq!(alerts(&[b.clone(), a.clone()]), forward);
    assert_eq!(alerts(&[b, a.clone(), a]), forward);
}

#[test]
fn compressed_and_crlf_logs_give_the_same_alerts() {
    let folder = Folder::new("forms");
    let text: String = (0..5)
        .map(|n| line(n, "x", if n == 3 { "bad" } else { "note" }))
        .collect();
    let want = ids(&alerts(&[folder.file("x.log", &text)]));
    assert_eq!(want.len(), 3); // many, fail, and many's summary
    let crlf = folder.file("x.log", text.replace('\n', "\r\n"));
    assert_eq!(ids(&alerts(&[crlf])), want);
    let packed = zstd::encode_all(text.as_bytes(), 3).unwrap();
    assert_eq!(alerts(&[folder.file("x.log", packed)]).len(), 3);
}

#[test]
fn equal_lines_stay_two_alerts_and_every_run_gives_the_same_ids() {
    let folder = Folder::new("equal");
    let path = folder.file("x.log", line(1, "x", "bad").repeat(3));
    let first = ids(&alerts(std::slice::from_ref(&path)));
    assert_eq!(first.iter().collect::<std::collections::HashSet<_>>().len(), 3);
    assert_eq!(ids(&alerts(&[path])), first);
}

#[test]
fn a_capture_cut_anywhere_gives_its_frames_up_to_there_and_says_where() {
    let folder = Folder::new("cut");
    let whole = pcap(&[datagram(1), datagram(2), datagram(3)]);
    let record = 16 + datagram(1).len();
    for cut in 24..=whole.len() {
        let path = folder.file("x.pcap", &whole[..cut]);
        let mut out = Vec::new();
        let (tally, warnings) = events::events(&[path], &Settings::default(), None, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text.lines().filter(|l| l.starts_with("{\"_path\":\"conn\"")).count(),
            (cut - 24) / record
        );
        assert_eq!(tally.get("events"), text.lines().count() as u64);
        assert_eq!(warnings.len(), usize::from((cut - 24) % record != 0), "cut at {cut}");
        assert!(
            warnings.iter().all(|w| w.contains("x.pcap: cut short in packet")),
            "{warnings:?}"
        );
    }
}

#[test]
fn what_is_no_input_is_refused_with_a_reason() {
    let folder = Folder::new("refused");
    let cases: [(PathBuf, &str); 5] = [
        (
            folder.file("x.pcap", "this is text"),
            "x.pcap: not a capture: it starts with 74 68 69 73",
        ),
        (folder.file("y.pcap", ""), "the file is empty"),
        (
            folder.file("x.bin", [1_u8, 2, 3, 4, 5, 6, 7, 8]),
            "neither a capture nor a log file: it starts with 01 02",
        ),
        (folder.0.join("absent"), "absent: No such file"),
        (folder.0.clone(), "is a folder"),
    ];
    for (path, why) in cases {
        assert!(refusal(&path).contains(why), "{}", refusal(&path));
    }
    let log = folder.file("x.log", line(0, "x", "bad"));
    let error = events::events(&[log], &Settings::default(), None, &mut Vec::new()).unwrap_err();
    assert!(
        error.to_string().contains("need the source definitions of a pack"),
        "{error}"
    );
}

#[test]
fn lines_that_nobody_claims_and_lines_that_are_no_events_are_said() {
    let folder = Folder::new("unclaimed");
    let path = folder.file("x.log", line(0, "x", "bad") + "who am I\n");
    let mut replay = Replay::new(&Settings::default(), pack(), std::slice::from_ref(&path)).unwrap();
    replay.poll(100);
    assert_eq!(replay.warnings().len(), 1);
    assert!(
        replay.warnings()[0].contains("claims 1 of 2 lines, the first: \"who am I\""),
        "{:?}",
        replay.warnings()
    );
    let settings = Settings::read(br#"{"logsource": {"product": "test"}}"#).unwrap();
    let json = folder.file("x.json", "{\"ts\": 1772349001, \"what\": \"bad\"}\nnot json\n");
    let mut replay = Replay::new(&settings, pack(), &[json]).unwrap();
    assert_eq!(shown(&replay.poll(100)), ["fail@1"]);
    assert!(
        replay.warnings()[0].contains("1 of 2 lines are no events, the first is line 2"),
        "{:?}",
        replay.warnings()
    );
}

#[test]
fn a_pinned_source_that_the_pack_has_not_is_refused_with_the_nearest() {
    let folder = Folder::new("pinned");
    let path = folder.file("x.log", line(0, "x", "bad"));
    let text = format!(r#"{{"files": [{{"path": "{}", "source": "dor"}}]}}"#, path.display());
    let settings = Settings::read(text.as_bytes()).unwrap();
    let error = Replay::new(&settings, pack(), &[path]).err().unwrap().to_string();
    assert!(error.contains("unknown source 'dor'; did you mean 'door'?"), "{error}");
}

#[test]
fn each_line_is_explained() {
    let folder = Folder::new("explain");
    let path = folder.file("x.log", line(0, "x", "bad") + "who am I\n");
    let mut out = Vec::new();
    let pack = pack();
    let tally = explain::lines(&path, &Settings::default(), &sources(&pack).unwrap(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with(r#"{"line":1,"outcome":"mapped","source":"door","event":{"_path":"door""#),
        "{text}"
    );
    assert_eq!(lines[1], r#"{"line":2,"outcome":"unmatched","source":null}"#);
    assert_eq!(tally.get("log.received"), 2);
}

#[test]
fn a_rule_is_explained_over_a_hit_and_over_fields() {
    let pack = pack();
    let fields = br#"{"what": "bad"}"#;
    for event in [
        &fields[..],
        br#"{"logsource": {"product": "test"}, "event": {"what": "bad"}}"#,
    ] {
        let tree: serde_json::Value =
            serde_json::from_str(&explain::rule(&pack, "fail", event, 1, b"{}").unwrap()).unwrap();
        assert_eq!(tree["matches"], true);
    }
    assert!(
        explain::rule(&pack, "fial", fields, 1, b"{}")
            .unwrap_err()
            .to_string()
            .contains("no rule 'fial'; did you mean 'fail'?")
    );
    assert!(
        explain::rule(&pack, "fail", b"[1]", 1, b"{}")
            .unwrap_err()
            .to_string()
            .contains("it is JSON and no object")
    );
}
