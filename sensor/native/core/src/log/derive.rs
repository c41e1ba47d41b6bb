//! What a definition may compute from fields: a closed list of functions, each linear in its input.

use std::borrow::Cow;

use crate::event::OwnedValue;

use super::record::{Name, Names, Raw, Record};

/// A function of fields that gives one value, written `name(field, ...)` in a definition's `fields`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct One {
    function: OneFunction,
    from: Vec<Name>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OneFunction {
    Sum,
    Lower,
    Endpoint,
    EndpointPort,
}

/// A function of one field that gives several fields of fixed names, written in a definition's `derive`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Many {
    function: ManyFunction,
    from: Name,
    to: Vec<Name>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ManyFunction {
    Request,
    Uri,
    Url,
}

const REQUEST: [&str; 3] = ["cs-method", "cs-uri", "cs-version"];
const URI: [&str; 5] = [
    "cs-uri-stem",
    "cs-uri-query",
    "cs-uri-decoded",
    "cs-uri-shape",
    "cs-uri-number",
];
const URL: [&str; 4] = ["cs-uri-scheme", "cs-host", "cs-uri-port", "cs-uri"];

/// `name(a, b)` to its parts.
fn call<'a>(text: &'a str, known: &[&str]) -> Result<(&'a str, Vec<&'a str>), String> {
    let Some((name, arguments)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
        return Err(format!(
            "derive '{text}' is no call; write for instance '{}(field)'",
            known[0]
        ));
    };
    let arguments: Vec<&str> = arguments.split(',').map(str::trim).filter(|a| !a.is_empty()).collect();
    if arguments.is_empty() {
        return Err(format!("derive '{text}' names no field"));
    }
    if known.contains(&name.trim()) {
        Ok((name.trim(), arguments))
    } else {
        Err(crate::strict::refusal("derive", "function", name.trim(), known))
    }
}

fn single(text: &str, from: &[Name]) -> Result<(), String> {
    if from.len() == 1 {
        Ok(())
    } else {
        Err(format!("derive '{text}' takes one field"))
    }
}

fn name(names: &mut Names, text: &str) -> Result<Name, String> {
    names.intern(text).ok_or_else(|| "too many field names".to_owned())
}

impl One {
    /// Compiles `sum(a, b)`, `lower(a)`, `endpoint(a)`, `endpoint_port(a)`.
    ///
    /// # Errors
    /// Names the function or argument that is wrong.
    pub fn compile(text: &str, names: &mut Names) -> Result<Self, String> {
        let (function, arguments) = call(text, &["sum", "lower", "endpoint", "endpoint_port"])?;
        let from = arguments
            .iter()
            .map(|argument| name(names, argument))
            .collect::<Result<Vec<_>, _>>()?;
        let function = match function {
            "sum" => OneFunction::Sum,
            "lower" => OneFunction::Lower,
            "endpoint" => OneFunction::Endpoint,
            _ => OneFunction::EndpointPort,
        };
        if function != OneFunction::Sum {
            single(text, &from)?;
        }
        Ok(Self { function, from })
    }

    /// The value, `None` where the fields do not give one.
    pub fn value<'l>(&self, record: &Record<'_, 'l>) -> Option<Raw<'l>> {
        if self.function == OneFunction::Sum {
            let numbers = self
                .from
                .iter()
                .filter_map(|field| record.text(*field)?.parse::<i64>().ok());
            let sum = numbers.fold(None, |sum: Option<i64>, n| Some(sum.unwrap_or(0).saturating_add(n)))?;
            return Some(Raw::Value(OwnedValue::Int(sum)));
        }
        let text = record.text(*self.from.first()?)?;
        let value = match self.function {
            OneFunction::Lower => OwnedValue::Str(text.to_lowercase()),
            OneFunction::Endpoint => OwnedValue::Str(endpoint(&text)?.0.to_owned()),
            _ => OwnedValue::Int(endpoint(&text)?.1?),
        };
        Some(Raw::Value(value))
    }
}

impl Many {
    /// Compiles `request(a)`, `uri(a)`, `url(a)`.
    ///
    /// # Errors
    /// Names the function or argument that is wrong.
    pub fn compile(text: &str, names: &mut Names) -> Result<Self, String> {
        let (function, arguments) = call(text, &["request", "uri", "url"])?;
        let from = arguments
            .iter()
            .map(|argument| name(names, argument))
            .collect::<Result<Vec<_>, _>>()?;
        single(text, &from)?;
        let (function, to): (_, &[&str]) = match function {
            "request" => (ManyFunction::Request, &REQUEST),
            "uri" => (ManyFunction::Uri, &URI),
            _ => (ManyFunction::Url, &URL),
        };
        let to = to
            .iter()
            .map(|field| name(names, field))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            function,
            from: from[0],
            to,
        })
    }

    /// Names of the fields it may give.
    pub fn gives(&self) -> &'static [&'static str] {
        match self.function {
            ManyFunction::Request => &REQUEST,
            ManyFunction::Uri => &URI,
            ManyFunction::Url => &URL,
        }
    }

    /// Sets the fields that the value gives.
    pub fn apply(&self, record: &mut Record<'_, '_>) {
        let Some(text) = record.text(self.from).map(Cow::into_owned) else {
            return;
        };
        let set = |record: &mut Record<'_, '_>, index: usize, value: Option<String>| {
            if let Some(value) = value {
                record.set(self.to[index], Raw::Value(OwnedValue::Str(value)));
            }
        };
        match self.function {
            ManyFunction::Request => {
                let Some((method, rest)) = text.split_once(' ') else {
                    return;
                };
                let (uri, version) = match rest.rsplit_once(' ') {
                    Some((uri, version)) if version.starts_with("HTTP/") => (uri, Some(version.to_owned())),
                    _ => (rest, None),
                };
                set(record, 0, Some(method.to_owned()));
                set(record, 1, Some(uri.to_owned()));
                set(record, 2, version);
            }
            ManyFunction::Uri => {
                let (stem, query) = match text.split_once('?') {
                    Some((stem, query)) => (stem, Some(query)),
                    None => (text.as_str(), None),
                };
                let mut decoded = percent_decoded(stem, false);
                if let Some(query) = query {
                    decoded.push('?');
                    decoded.push_str(&percent_decoded(query, true));
                }
                let (shape, number) = shape(&decoded);
                let parts = [
                    Some(stem.to_owned()),
                    query.map(str::to_owned),
                    Some(decoded),
                    Some(shape),
                    number,
                ];
                for (index, part) in parts.into_iter().enumerate() {
                    set(record, index, part);
                }
            }
            ManyFunction::Url => {
                let (scheme, rest) = match text.split_once("://") {
                    Some((scheme, rest)) => (Some(scheme.to_owned()), rest),
                    None => (None, text.as_str()),
                };
                let path = rest.find(['/', '?']).unwrap_or(rest.len());
                let (authority, path) = rest.split_at(path);
                let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
                let (host, port) = endpoint(host).map_or((host, None), |(host, port)| (host, port));
                set(record, 0, scheme);
                set(record, 1, Some(host.to_owned()).filter(|host| !host.is_empty()));
                set(record, 2, port.map(|port| port.to_string()));
                set(
                    record,
                    3,
                    Some(if path.is_empty() {
                        "/".to_owned()
                    } else {
                        path.to_owned()
                    }),
                );
            }
        }
    }
}

/// `1.2.3.4:55`, `[v6]:55`, or a host alone, to host and port.
fn endpoint(text: &str) -> Option<(&str, Option<i64>)> {
    if let Some(inner) = text.strip_prefix('[') {
        let (host, after) = inner.split_once(']')?;
        return Some((host, after.strip_prefix(':').and_then(port)));
    }
    match text.split_once(':') {
        Some((host, digits)) if !digits.contains(':') => Some((host, port(digits))),
        _ => Some((text, None)),
    }
}

fn port(digits: &str) -> Option<i64> {
    digits.parse::<u16>().ok().map(i64::from)
}

/// Percent-decoding, once; `+` is a blank in a query. What is not UTF-8 afterwards becomes U+FFFD.
fn percent_decoded(text: &str, query: bool) -> String {
    let hex = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%'
            && let (Some(high), Some(low)) = (
                bytes.get(at + 1).copied().and_then(hex),
                bytes.get(at + 2).copied().and_then(hex),
            )
        {
            out.push(high << 4 | low);
            at += 3;
            continue;
        }
        out.push(if query && byte == b'+' { b' ' } else { byte });
        at += 1;
    }
    match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

/// Every run of digits as `#`, and the longest run (the first of equals): the same page for different numbers has one shape.
fn shape(text: &str) -> (String, Option<String>) {
    let mut shape = String::with_capacity(text.len());
    let mut longest: Option<&str> = None;
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        shape.push_str(&rest[..start]);
        shape.push('#');
        let run = &rest[start..];
        let end = run.find(|c: char| !c.is_ascii_digit()).unwrap_or(run.len());
        if longest.is_none_or(|known| end > known.len()) {
            longest = Some(&run[..end]);
        }
        rest = &run[end..];
    }
    shape.push_str(rest);
    (shape, longest.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(call: &str, value: &str) -> Vec<(String, String)> {
        let mut names = Names::default();
        let many = Many::compile(call, &mut names).unwrap();
        let mut record = Record::new(&mut names);
        record.put("a", Cow::from(value));
        many.apply(&mut record);
        record
            .into_values()
            .into_iter()
            .skip(1)
            .map(|(name, value)| match value {
                OwnedValue::Str(text) => (name.to_string(), text),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn one(call: &str, fields: &[(&str, &str)]) -> Option<OwnedValue> {
        let mut names = Names::default();
        let one = One::compile(call, &mut names).unwrap();
        let mut record = Record::new(&mut names);
        for (name, value) in fields {
            record.put(name, Cow::from(*value));
        }
        match one.value(&record)? {
            Raw::Value(value) => Some(value),
            other => panic!("{other:?}"),
        }
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_request_line() {
        assert_eq!(
            many("request(a)", "GET /x y HTTP/1.1"),
            pairs(&[("cs-method", "GET"), ("cs-uri", "/x y"), ("cs-version", "HTTP/1.1")])
        );
        assert_eq!(
            many("request(a)", "GET /x"),
            pairs(&[("cs-method", "GET"), ("cs-uri", "/x")])
        );
        assert_eq!(many("request(a)", "-"), pairs(&[]));
    }

    #[test]
    fn a_uri_is_decoded_once_and_has_a_shape() {
        assert_eq!(
            many("uri(a)", "/aitiseis/2741?x=5&q=%CE%9A%2527+b%zz"),
            pairs(&[
                ("cs-uri-stem", "/aitiseis/2741"),
                ("cs-uri-query", "x=5&q=%CE%9A%2527+b%zz"),
                ("cs-uri-decoded", "/aitiseis/2741?x=5&q=Κ%27 b%zz"),
                ("cs-uri-shape", "/aitiseis/#?x=#&q=Κ%# b%zz"),
                ("cs-uri-number", "2741"),
            ])
        );
        assert_eq!(
            many("uri(a)", "/a+b%FF"),
            pairs(&[
                ("cs-uri-stem", "/a+b%FF"),
                ("cs-uri-decoded", "/a+b\u{fffd}"),
                ("cs-uri-shape", "/a+b\u{fffd}")
            ])
        );
    }

    #[test]
    fn a_url_and_endpoints() {
        assert_eq!(
            many("url(a)", "https://u:p@[2001:db8::1]:8443/x?y"),
            pairs(&[
                ("cs-uri-scheme", "https"),
                ("cs-host", "2001:db8::1"),
                ("cs-uri-port", "8443"),
                ("cs-uri", "/x?y")
            ])
        );
        assert_eq!(
            many("url(a)", "www.example.gr:443"),
            pairs(&[("cs-host", "www.example.gr"), ("cs-uri-port", "443"), ("cs-uri", "/")])
        );
        assert_eq!(
            one("endpoint(a)", &[("a", "203.0.113.9:55")]),
            Some(OwnedValue::Str("203.0.113.9".into()))
        );
        assert_eq!(
            one("endpoint(a)", &[("a", "2001:db8::1")]),
            Some(OwnedValue::Str("2001:db8::1".into()))
        );
        assert_eq!(
            one("endpoint_port(a)", &[("a", "[2001:db8::1]:55")]),
            Some(OwnedValue::Int(55))
        );
        assert_eq!(one("endpoint_port(a)", &[("a", "203.0.113.9")]), None);
    }

    #[test]
    fn sums_and_case() {
        assert_eq!(one("sum(a, b)", &[("a", "1"), ("b", "2")]), Some(OwnedValue::Int(3)));
        assert_eq!(one("sum(a, b)", &[("b", "2")]), Some(OwnedValue::Int(2)));
        assert_eq!(one("sum(a, b)", &[("a", "x")]), None);
        assert_eq!(
            one("sum(a,b)", &[("a", "9223372036854775807"), ("b", "9")]),
            Some(OwnedValue::Int(i64::MAX))
        );
        assert_eq!(one("lower(a)", &[("a", "ΆB")]), Some(OwnedValue::Str("άb".into())));
    }

    #[test]
    fn an_unknown_function_is_refused() {
        let names = &mut Names::default();
        assert!(
            One::compile("smu(a)", names)
                .unwrap_err()
                .contains("did you mean 'sum'")
        );
        assert!(
            One::compile("lower(a, b)", names)
                .unwrap_err()
                .contains("takes one field")
        );
        assert!(Many::compile("uri", names).unwrap_err().contains("is no call"));
        assert!(Many::compile("uri()", names).unwrap_err().contains("names no field"));
    }
}
