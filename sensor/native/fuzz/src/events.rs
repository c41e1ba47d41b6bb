//! JSON objects in any layout: cut out, mended, read, matched.

use vigla_core::log::documents::{Broken, Documents, Sink};
use vigla_core::log::mend::mend;

use super::ruleset;

const LIMIT: usize = 1 << 16;

/// What was cut out, and what was lost.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen(Vec<(u64, Vec<u8>)>, Vec<(u64, Option<Broken>)>);

impl Sink for Seen {
    type Refusal = ();

    fn document(&mut self, bytes: &[u8], offset: u64) -> Result<(), ()> {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes).map_err(|_| ())?;
        self.0.push((offset, bytes.to_vec()));
        Ok(())
    }

    fn refused(&mut self, line: u64, (): ()) {
        self.1.push((line, None));
    }

    fn broken(&mut self, line: u64, why: Broken) {
        self.1.push((line, Some(why)));
    }
}

fn cut(pieces: &[&[u8]]) -> Seen {
    let (mut documents, mut seen) = (Documents::new(LIMIT), Seen::default());
    for piece in pieces {
        documents.push(piece, &mut seen);
    }
    documents.finish(&mut seen);
    seen
}

/// The same objects however the bytes are cut; each, and each line as it is and mended, is the same event read lazily or whole,
/// and meets the same rules by index and full scan.
pub fn run(data: &[u8]) {
    let Some((&at, text)) = data.split_first() else { return };
    let seen = cut(&[text]);
    let (head, tail) = text.split_at(usize::from(at).min(text.len()));
    assert_eq!(seen, cut(&[head, tail]), "a cut changes what is seen");
    for (offset, document) in &seen.0 {
        assert!(
            text[*offset as usize..].starts_with(document),
            "an object that is not there"
        );
    }
    let mut lines: Vec<&[u8]> = seen.0.iter().map(|(_, document)| document.as_slice()).collect();
    lines.extend(text.split(|byte| *byte == b'\n'));
    let mended: Vec<Vec<u8>> = lines.iter().filter_map(|line| mend(line)).collect();
    lines.extend(mended.iter().map(Vec::as_slice));
    ruleset::agree_over_all(&lines);
}
