use proptest::prelude::*;

use super::*;

/// Objects by their text, and lines that are lost: `serde_json` decides what is an object.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Seen {
    documents: Vec<(u64, String)>,
    lost: Vec<u64>,
}

impl Sink for Seen {
    type Refusal = ();

    fn document(&mut self, bytes: &[u8], offset: u64) -> Result<(), ()> {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes).map_err(|_| ())?;
        self.documents
            .push((offset, String::from_utf8(bytes.to_vec()).map_err(|_| ())?));
        Ok(())
    }

    fn refused(&mut self, line: u64, (): ()) {
        self.lost.push(line);
    }

    fn broken(&mut self, line: u64, _: Broken) {
        self.lost.push(line);
    }
}

fn cut(pieces: &[&[u8]]) -> Seen {
    let mut documents = Documents::new(4 << 20);
    let mut seen = Seen::default();
    for piece in pieces {
        documents.push(piece, &mut seen);
    }
    documents.finish(&mut seen);
    seen
}

/// Objects and lost lines, and that no cut of the input changes them.
#[track_caller]
fn check(input: &str, documents: &[&str], lost: &[u64]) {
    let whole = cut(&[input.as_bytes()]);
    let texts: Vec<&str> = whole.documents.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!((texts, &whole.lost[..]), (documents.to_vec(), lost), "{input:?}");
    for (offset, text) in &whole.documents {
        assert!(input[*offset as usize..].starts_with(text.as_str()), "{offset}: {text}");
    }
    for at in 0..=input.len() {
        let (head, tail) = input.as_bytes().split_at(at);
        assert_eq!(cut(&[head, tail]), whole, "{input:?} cut at {at}");
    }
}

#[test]
fn one_a_line_with_any_line_end_and_a_mark_of_the_byte_order() {
    check("{\"a\":1}\n{\"a\":2}\n", &[r#"{"a":1}"#, r#"{"a":2}"#], &[]);
    check(
        "\u{feff}{\"a\":1}\r\n\r\n  \n{\"a\":2}",
        &[r#"{"a":1}"#, r#"{"a":2}"#],
        &[],
    );
    check("", &[], &[]);
    check("\n\n", &[], &[]);
}

#[test]
fn several_on_a_line_over_lines_and_in_a_list() {
    check(
        r#"{"a":1}{"a":2} {"a":3}"#,
        &[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#],
        &[],
    );
    check(
        "{\n  \"a\": {\n\"b\": [1,\n{}]}\n}{\n}",
        &["{\n  \"a\": {\n\"b\": [1,\n{}]}\n}", "{\n}"],
        &[],
    );
    check("[{\"a\":1},\n {\"a\":2}]", &[r#"{"a":1}"#, r#"{"a":2}"#], &[]);
    check(
        "[\n    {\n        \"a\": 1\n    },\n    {\"b\": 2}\n]\n",
        &["{\n        \"a\": 1\n    }", "{\"b\": 2}"],
        &[],
    );
    check("[]\n", &[], &[]);
}

#[test]
fn what_is_no_object_costs_its_line() {
    check("{\"a\":1}\nnot json\n{\"a\":2}", &[r#"{"a":1}"#, r#"{"a":2}"#], &[2]);
    check("[1,2]\n\"x\"\n7\n{\"a\":2}", &[r#"{"a":2}"#], &[1, 2, 3]);
    check(
        "{\"a\":1}trailing {\"b\":1}\n{\"a\":2}",
        &[r#"{"a":1}"#, r#"{"a":2}"#],
        &[1],
    );
    check("{\"a\":01}\n{\"a\":tru}\n{\"a\":2}", &[r#"{"a":2}"#], &[1, 2]);
    check("}\n{\"a\":2}", &[r#"{"a":2}"#], &[1]);
}

#[test]
fn a_line_cut_short_does_not_swallow_the_next() {
    for torn in [
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":\"te",
        "{\"a\":[1,",
        "{\"a\":{\"b\":",
    ] {
        check(
            &format!("{torn}\n{{\"x\":1}}\n{{\"x\":2}}"),
            &[r#"{"x":1}"#, r#"{"x":2}"#],
            &[1],
        );
        check(
            &format!("{{\"x\":1}}\n{torn}\nwords\n{{\"x\":2}}"),
            &[r#"{"x":1}"#, r#"{"x":2}"#],
            &[2, 3],
        );
    }
    check("{\"x\":1}\n{\"a\":", &[r#"{"x":1}"#], &[2]);
}

#[test]
fn a_long_object_that_is_broken_is_lost_once() {
    let broken = "{\n  \"a\": 1,\n  \"b\": ?,\n  \"c\": {\n    \"d\": 1\n  }\n}\n{\"x\":1}\n";
    check(broken, &[r#"{"x":1}"#], &[1]);
    check(
        "[\n  {\n    \"a\": ?\n  },\n  {\n    \"x\": 1\n  }\n]",
        &["{\n    \"x\": 1\n  }"],
        &[2],
    );
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = "{\"a\":".repeat(10_000);
    let seen = cut(&[deep.as_bytes(), b"\n{\"x\":1}\n"]);
    assert_eq!((seen.documents.len(), seen.lost), (1, vec![1]));
    let lines = "{\"a\":\n".repeat(10_000);
    let seen = cut(&[lines.as_bytes(), b"{\"x\":1}\n"]);
    assert_eq!(seen.documents.last().unwrap().1, "{\"x\":1}");

    let mut documents = Documents::new(4 << 20);
    let mut seen = Seen::default();
    documents.push(b"{\"a\":\"", &mut seen);
    let block = vec![b'x'; 64 * 1024];
    for _ in 0..1600 {
        documents.push(&block, &mut seen);
        assert!(documents.buffer.len() <= (4 << 20) + (64 << 10) + 6);
    }
    documents.push(b"\"}\n{\"x\":1}\n", &mut seen);
    documents.finish(&mut seen);
    assert_eq!((seen.documents.len(), seen.lost), (1, vec![1]));
}

#[test]
fn a_list_of_any_length_may_be_one_line() {
    let one = format!("{{\"a\":\"{}\"}},", "x".repeat(1000));
    let mut documents = Documents::new(4 << 20);
    let mut seen = Seen::default();
    documents.push(b"[", &mut seen);
    for _ in 0..10_000 {
        documents.push(one.as_bytes(), &mut seen);
        assert!(documents.buffer.len() <= 2 * LONG);
    }
    documents.push(b"{}]\n{}", &mut seen);
    documents.finish(&mut seen);
    assert_eq!((seen.documents.len(), seen.lost.len()), (10_002, 0));
}

proptest! {
    #[test]
    fn no_cut_of_any_bytes_changes_what_is_seen(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\", "1", "x", " ", "\n", "\r\n", "{\"a\":1}", "{\"b\":[{}]}", "\u{feff}",
        ]), 0..60),
        first in 0_usize..200, second in 0_usize..200,
    ) {
        let text = parts.concat();
        let bytes = text.as_bytes();
        let (a, b) = (first.min(second).min(bytes.len()), first.max(second).min(bytes.len()));
        prop_assert_eq!(cut(&[&bytes[..a], &bytes[a..b], &bytes[b..]]), cut(&[bytes]));
    }

    #[test]
    fn objects_in_any_layout_all_come_back(
        values in prop::collection::vec((any::<bool>(), prop::collection::vec((".{0,5}", any::<i64>()), 0..4), 0_usize..4), 1..8),
    ) {
        let mut text = String::new();
        let mut want = Vec::new();
        for (pretty, members, between) in values {
            let object: serde_json::Map<_, _> = members.into_iter().map(|(k, v)| (k, serde_json::json!([v, {"s": "\"{["}]))).collect();
            let printed = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            text += &printed;
            text += ["", "\n", " ", "\r\n\r\n"][between];
            want.push(printed);
        }
        let seen = cut(&[text.as_bytes()]);
        prop_assert_eq!(seen.documents.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), want);
        prop_assert!(seen.lost.is_empty());
    }
}
