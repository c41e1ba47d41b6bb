use std::io::Write;

use super::*;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vigla-tail-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn log(&self) -> PathBuf {
        self.0.join("x.log")
    }

    fn append(&self, name: &str, text: &str) {
        File::options()
            .create(true)
            .append(true)
            .open(self.0.join(name))
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn second(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn lines(tail: &mut Tail, now: Duration) -> Vec<String> {
    let mut got = Vec::new();
    while tail.poll(now, 1 << 20, &mut |line| {
        got.push(String::from_utf8_lossy(line.bytes).into_owned());
    }) {}
    got
}

#[test]
fn grows_and_holds_an_unfinished_line() {
    let folder = Folder::new("grow");
    let mut tail = Tail::new(folder.log(), None);
    assert_eq!(lines(&mut tail, second(0)), Vec::<String>::new());
    assert!(!tail.present());
    folder.append("x.log", "one\ntw");
    assert_eq!(lines(&mut tail, second(1)), ["one"]);
    assert_eq!(tail.position().unwrap().offset, 4);
    folder.append("x.log", "o\r\n");
    assert_eq!(lines(&mut tail, second(2)), ["two"]);
    folder.append("x.log", "no end");
    assert_eq!(lines(&mut tail, second(3)), Vec::<String>::new());
    assert_eq!(lines(&mut tail, second(7)), Vec::<String>::new());
    assert_eq!(lines(&mut tail, second(8)), ["no end"]);
    assert_eq!(tail.counted().partial, 1);
}

#[test]
fn a_renamed_file_is_finished_before_the_new_one_is_read() {
    let folder = Folder::new("rotate");
    folder.append("x.log", "one\n");
    let mut tail = Tail::new(folder.log(), None);
    assert_eq!(lines(&mut tail, second(0)), ["one"]);
    fs::rename(folder.log(), folder.0.join("x.log.1")).unwrap();
    assert_eq!(lines(&mut tail, second(1)), Vec::<String>::new());
    folder.append("x.log", "three\n");
    folder.append("x.log.1", "two\nlast");
    assert_eq!(lines(&mut tail, second(2)), ["two"]);
    assert_eq!(lines(&mut tail, second(3)), Vec::<String>::new());
    assert_eq!(lines(&mut tail, second(4)), ["last", "three"]);
    assert_eq!(tail.counted().rotated, 1);
}

#[test]
fn a_truncated_file_is_read_from_its_start() {
    let folder = Folder::new("truncate");
    folder.append("x.log", "one\ntwo\n");
    let mut tail = Tail::new(folder.log(), None);
    assert_eq!(lines(&mut tail, second(0)).len(), 2);
    fs::write(folder.log(), "new\n").unwrap();
    assert_eq!(lines(&mut tail, second(1)), ["new"]);
    // Cut and already longer than before: only its head tells.
    fs::write(folder.log(), "other\nlines\nmore of them\n").unwrap();
    assert_eq!(lines(&mut tail, second(2)), ["other", "lines", "more of them"]);
    assert_eq!(tail.counted().truncated, 2);
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let folder = Folder::new("restart");
    folder.append("x.log", "one\ntwo\nhal");
    let mut tail = Tail::new(folder.log(), None);
    assert_eq!(lines(&mut tail, second(0)), ["one", "two"]);
    let kept = tail.position();
    folder.append("x.log", "f\n");
    assert_eq!(lines(&mut Tail::new(folder.log(), kept.clone()), second(0)), ["half"]);

    // Rotated while away: the rest of the old file, then the new one.
    fs::rename(folder.log(), folder.0.join("x.log.1")).unwrap();
    folder.append("x.log", "new\n");
    let mut tail = Tail::new(folder.log(), kept.clone());
    assert_eq!(lines(&mut tail, second(0)), ["half"]);
    assert_eq!(lines(&mut tail, second(1)), Vec::<String>::new());
    assert_eq!(lines(&mut tail, second(2)), ["new"]);

    // Rotated and gone: counted as lost, the new one from its start.
    fs::remove_file(folder.0.join("x.log.1")).unwrap();
    let mut tail = Tail::new(folder.log(), kept);
    assert_eq!(lines(&mut tail, second(0)), ["new"]);
    assert_eq!(tail.counted().lost, 1);
}

#[test]
fn a_truncation_while_away_is_seen() {
    let folder = Folder::new("away");
    folder.append("x.log", "one\ntwo\n");
    let mut tail = Tail::new(folder.log(), None);
    lines(&mut tail, second(0));
    let kept = tail.position();
    fs::write(folder.log(), "x\n").unwrap();
    let mut tail = Tail::new(folder.log(), kept);
    assert_eq!(lines(&mut tail, second(0)), ["x"]);
    assert_eq!((tail.counted().truncated, tail.counted().lost), (1, 0));
}

#[test]
fn a_budget_bounds_one_call() {
    let folder = Folder::new("budget");
    folder.append("x.log", &"0123456789\n".repeat(100_000));
    let mut tail = Tail::new(folder.log(), None);
    let mut got = 0;
    assert!(tail.poll(second(0), 1, &mut |_| got += 1));
    assert!(got <= BLOCK / 11 + 1);
}
