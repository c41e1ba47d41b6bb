//! Whose line it is: literals that a definition looks for, in the header, the message and the file's name.

use memchr::memmem::Finder;

use super::syslog::Header;

/// One alternative of a definition's `match`: every part that it has must hold.
#[derive(Debug, Clone, Default)]
pub struct Signature {
    /// Any of these tags; a `*` at the end stands for anything.
    pub tags: Vec<String>,
    /// The message begins with any of these.
    pub starts: Vec<String>,
    /// The message contains all of these.
    pub contains: Vec<Finder<'static>>,
    /// The message is a JSON object and has all of these keys somewhere: `"key"`.
    pub keys: Vec<Finder<'static>>,
    /// The file's name (without its folder) contains any of these.
    pub files: Vec<String>,
}

impl Signature {
    /// Whether this alternative claims the line.
    pub fn holds(&self, header: &Header<'_>, file: Option<&str>) -> bool {
        let message = header.message;
        (self.tags.is_empty()
            || header
                .tag
                .is_some_and(|tag| self.tags.iter().any(|wanted| tag_is(wanted, tag))))
            && (self.files.is_empty()
                || file.is_some_and(|file| self.files.iter().any(|part| file.contains(part.as_str()))))
            && (self.starts.is_empty() || self.starts.iter().any(|start| message.starts_with(start.as_str())))
            && self.contains.iter().all(|part| part.find(message.as_bytes()).is_some())
            && (self.keys.is_empty()
                || message.starts_with('{') && self.keys.iter().all(|key| key.find(message.as_bytes()).is_some()))
    }
}

fn tag_is(wanted: &str, tag: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => tag.starts_with(start),
        None => wanted == tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::syslog::header;

    fn finders(of: &[&str]) -> Vec<Finder<'static>> {
        of.iter()
            .map(|text| Finder::new(text.as_bytes()).into_owned())
            .collect()
    }

    #[test]
    fn every_part_must_hold() {
        let line = header("<134>Mar  1 09:14:07 fw1 openvpn_server1[5]: {\"a\": 1, \"b\": 2}");
        let by_tag = Signature {
            tags: vec!["charon".into(), "openvpn*".into()],
            ..Signature::default()
        };
        assert!(by_tag.holds(&line, None));
        let keys = Signature {
            keys: finders(&["\"a\"", "\"b\""]),
            ..by_tag.clone()
        };
        assert!(keys.holds(&line, None));
        let no_key = Signature {
            keys: finders(&["\"a\"", "\"c\""]),
            ..by_tag.clone()
        };
        assert!(!no_key.holds(&line, None));
        let file = Signature {
            files: vec!["access.log".into()],
            ..by_tag
        };
        assert!(!file.holds(&line, None));
        assert!(file.holds(&line, Some("portal-access.log.1")));
        let text = Signature {
            starts: vec!["{".into()],
            contains: finders(&["1,", "2}"]),
            ..Signature::default()
        };
        assert!(text.holds(&line, None));
        assert!(!text.holds(&header("{1, 2"), None));
    }
}
