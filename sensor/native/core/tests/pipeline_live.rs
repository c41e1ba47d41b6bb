//! The live sensor: growing files, kill and restart, reload and overlay.

mod files;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use files::{Folder, SOURCES, ids, line, pack, packed, rules, shown};
use vigla_core::pipeline::live::Sensor;
use vigla_core::pipeline::settings::Settings;
use vigla_core::sigma::Pack;

const PATIENCE: Duration = Duration::from_secs(30);

fn settings(path: &Path) -> Settings {
    // Lines of these tests are years from their receipt: no lateness is near that, and each keeps its own time.
    let text = format!(
        r#"{{"files": [{{"path": "{}"}}], "lateness_ms": 4294967295}}"#,
        path.display()
    );
    Settings::read(text.as_bytes()).unwrap()
}

/// Polls until `enough` says so; alerts and the last checkpoint.
fn until(sensor: &Sensor, enough: &dyn Fn(&[Vec<u8>], bool) -> bool) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
    let (mut alerts, mut checkpoint) = (Vec::new(), None);
    let start = Instant::now();
    loop {
        let polled = sensor.poll(7, Duration::from_millis(100)).unwrap();
        alerts.extend(polled.alerts);
        let settled = polled.checkpoint.is_some();
        checkpoint = polled.checkpoint.or(checkpoint);
        if enough(&alerts, settled) || polled.finished {
            return (alerts, checkpoint);
        }
        assert!(start.elapsed() < PATIENCE, "only {:?}", shown(&alerts));
    }
}

/// Everything a sensor finds before it has nothing more to read, and the checkpoint after it.
fn all(sensor: &mut Sensor, lines: u64) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
    let start = Instant::now();
    while sensor.stats().get("log.received") < lines {
        assert!(start.elapsed() < PATIENCE, "{:?}", sensor.stats());
        std::thread::sleep(Duration::from_millis(10));
    }
    sensor.stop();
    until(sensor, &|_, _| false)
}

#[test]
fn alerts_of_a_growing_file_come_as_it_grows() {
    let folder = Folder::new("grow");
    let path = folder.file("x.log", "");
    let mut sensor = Sensor::new(settings(&path), pack(), None).unwrap();
    sensor.start().unwrap();
    Folder::append(&path, &line(1, "x", "bad"));
    let (first, _) = until(&sensor, &|alerts, _| !alerts.is_empty());
    assert_eq!(shown(&first), ["fail@1"]);
    Folder::append(&path, &(line(2, "x", "note").repeat(3) + &line(3, "x", "bad")));
    let (second, _) = until(&sensor, &|alerts, _| alerts.len() >= 2);
    assert_eq!(shown(&second), ["many@2", "fail@3"]);
    sensor.stop();
    assert!(sensor.poll(1, Duration::ZERO).unwrap().alerts.is_empty());
}

#[test]
fn any_kill_and_restart_gives_the_same_set_of_ids() {
    let folder = Folder::new("kill");
    let text: String = (0..60)
        .map(|n| {
            line(
                n,
                if n % 2 == 0 { "x" } else { "y" },
                if n % 7 == 0 { "bad" } else { "note" },
            )
        })
        .collect();
    let path = folder.file("x.log", &text);
    let mut whole = Sensor::new(settings(&path), pack(), None).unwrap();
    whole.start().unwrap();
    let want: BTreeSet<String> = ids(&all(&mut whole, 60).0).into_iter().collect();
    assert!(want.len() >= 11, "{want:?}");

    for cut in [1, text.len() / 3, text.len() / 2 + 5, text.len() - 1] {
        let path = folder.file("x.log", &text[..cut]);
        let mut first = Sensor::new(settings(&path), pack(), None).unwrap();
        first.start().unwrap();
        // Kept: alerts up to a checkpoint. Then the process dies with whatever it had found since.
        let (alerts, checkpoint) = until(&first, &|_, settled| settled);
        let mut kept: BTreeSet<String> = ids(&alerts).into_iter().collect();
        Folder::append(&path, &text[cut..cut + (text.len() - cut) / 2]);
        std::thread::sleep(Duration::from_millis(120));
        drop(first);
        Folder::append(&path, &text[cut + (text.len() - cut) / 2..]);
        let mut second = Sensor::new(settings(&path), pack(), checkpoint.as_deref()).unwrap();
        let before = text[..cut].matches('\n').count() as u64;
        second.start().unwrap();
        kept.extend(ids(&all(&mut second, 60 - before).0));
        assert_eq!(kept, want, "cut at {cut}");
    }
}

#[test]
fn a_line_dated_years_ahead_correlates_at_its_receipt_and_drags_nobody() {
    let folder = Folder::new("ahead");
    let far = "t=4070901600 src=x what=note\n";
    let text = line(1, "x", "note") + far + &line(2, "x", "note") + &line(3, "x", "note");
    let path = folder.file("x.log", text);
    let mut sensor = Sensor::new(settings(&path), pack(), None).unwrap();
    sensor.start().unwrap();
    // It counts, with the line before it, as the second of three.
    assert_eq!(shown(&all(&mut sensor, 4).0), ["many@2"]);
}

#[test]
fn a_checkpoint_that_cannot_be_read_is_counted_and_everything_is_read_again() {
    let folder = Folder::new("checkpoint");
    let path = folder.file("x.log", line(1, "x", "bad"));
    let mut sensor = Sensor::new(settings(&path), pack(), Some(b"rubbish")).unwrap();
    sensor.start().unwrap();
    assert_eq!(shown(&all(&mut sensor, 1).0), ["fail@1"]);
    assert_eq!(sensor.stats().get("checkpoint.dropped{unreadable}"), 1);
}

#[test]
fn an_absent_file_is_waited_for() {
    let folder = Folder::new("absent");
    let path = folder.0.join("later.log");
    let mut sensor = Sensor::new(settings(&path), pack(), None).unwrap();
    assert_eq!(sensor.stats().get("log.file.absent"), 1);
    sensor.start().unwrap();
    Folder::append(&path, &line(1, "x", "bad"));
    until(&sensor, &|alerts, _| alerts.len() == 1);
}

#[test]
fn an_overlay_simulates_disables_and_filters_and_is_taken_back() {
    let far = "2199-01-01T00:00:00Z";
    let filter = |expires: &str| {
        format!(
            r#"{{"filters": [{{"id": "f", "rules": ["fail"], "where": {{"src": {{"startswith": ["X"]}}}}, "expires": "{expires}"}}]}}"#
        )
    };
    for (overlay, want, counter) in [
        (
            r#"{"simulate": ["fail"]}"#.to_owned(),
            vec!["many@4"],
            Some("alerts.withheld{simulate}"),
        ),
        (
            r#"{"disabled": ["fail"]}"#.to_owned(),
            vec!["many@4"],
            Some("alerts.withheld{disabled}"),
        ),
        (
            r#"{"disabled": ["note"]}"#.to_owned(),
            vec!["fail@1", "fail@5"],
            Some("alerts.withheld{disabled}"),
        ),
        (filter(far), vec!["many@4", "fail@5"], Some("alerts.withheld{filter}")),
        (filter("2020-01-01T00:00:00Z"), vec!["fail@1", "many@4", "fail@5"], None),
        ("{}".to_owned(), vec!["fail@1", "many@4", "fail@5"], None),
    ] {
        let folder = Folder::new("overlay");
        let text = line(1, "xx", "bad") + &line(2, "x", "note") + &line(3, "x", "note") + &line(4, "x", "note");
        let path = folder.file("x.log", text + &line(5, "y", "bad"));
        let mut sensor = Sensor::new(settings(&path), pack(), None).unwrap();
        sensor.overlay(overlay.as_bytes()).unwrap();
        sensor.start().unwrap();
        assert_eq!(shown(&all(&mut sensor, 5).0), want, "{overlay}");
        if let Some(counter) = counter {
            assert!(sensor.stats().get(counter) > 0, "{overlay}");
        }
    }
}

#[test]
fn a_bad_overlay_is_refused_and_the_one_before_stays() {
    let folder = Folder::new("refused-overlay");
    let path = folder.file("x.log", line(1, "x", "bad"));
    let mut sensor = Sensor::new(settings(&path), pack(), None).unwrap();
    sensor.overlay(br#"{"disabled": ["fail"]}"#).unwrap();
    for (overlay, why) in [
        (r#"{"disbaled": []}"#, "did you mean 'disabled'"),
        (r#"{"simulate": ["x"]}"#, "simulate: the pack has no rule 'x'"),
        (
            r#"{"filters": [{"id": "f", "rules": ["fail"], "where": {}, "expires": "2199-01-01T00:00:00Z"}]}"#,
            "no condition",
        ),
        (
            r#"{"filters": [{"id": "f", "rules": [], "where": {"a": "b"}, "expires": "2199-01-01T00:00:00Z"}]}"#,
            "names no rule",
        ),
        (
            r#"{"filters": [{"id": "f", "rules": ["fail"], "where": {"a": "b"}, "expires": "soon"}]}"#,
            "'soon' is no time",
        ),
        (
            r#"{"filters": [{"id": "f", "rules": ["fail"], "where": {"a": {"cird": ["10.0.0.0/8"]}}, "expires": "2199-01-01T00:00:00Z"}]}"#,
            "did you mean 'cidr'",
        ),
        (
            r#"{"filters": [{"id": "f", "rules": ["fail"], "where": {"a": {"cidr": ["10.0.0.0/99"]}}, "expires": "2199-01-01T00:00:00Z"}]}"#,
            "10.0.0.0/99",
        ),
    ] {
        let error = sensor.overlay(overlay.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    sensor.start().unwrap();
    assert_eq!(shown(&all(&mut sensor, 1).0), Vec::<String>::new());
}

#[test]
fn a_new_pack_goes_on_counting_where_the_old_one_was() {
    let folder = Folder::new("reload");
    let path = folder.file("x.log", line(1, "x", "note") + &line(2, "x", "note"));
    let mut sensor = Sensor::new(settings(&path), pack(), None).unwrap();
    sensor.start().unwrap();
    until(&sensor, &|_, settled| settled);
    let mut changed = rules();
    changed["rules"][0]["title"] = "another title".into();
    let sources = SOURCES.replace("\"door\"", "\"gate\"");
    let next = Pack::load(&packed(&changed, &sources)).unwrap();
    sensor.reload(Arc::new(next)).unwrap();
    Folder::append(&path, &(line(3, "x", "note") + &line(4, "x", "bad")));
    let (alerts, _) = until(&sensor, &|alerts, _| alerts.len() == 2);
    assert_eq!(shown(&alerts), ["many@3", "fail@4"]);
    let hit: serde_json::Value = serde_json::from_slice(&alerts[1]).unwrap();
    assert_eq!(hit["event"]["_path"], "gate");
}
