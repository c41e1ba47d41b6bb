//! Addresses, sizes and paths in FTP's commands and replies (RFC 959, 2428).

use std::net::{IpAddr, Ipv4Addr};

/// Words of commands (RFC 959, 775, 2228, 2389, 2428, 3659, 7151).
pub(super) const COMMANDS: [&str; 57] = [
    "ABOR", "ACCT", "ADAT", "ALLO", "APPE", "AUTH", "CCC", "CDUP", "CWD", "DELE", "ENC", "EPRT", "EPSV", "FEAT",
    "HELP", "HOST", "LANG", "LIST", "LPRT", "LPSV", "MDTM", "MFMT", "MIC", "MKD", "MLSD", "MLST", "MODE", "NLST",
    "NOOP", "OPTS", "PASS", "PASV", "PBSZ", "PORT", "PROT", "PWD", "QUIT", "REIN", "REST", "RETR", "RMD", "RNFR",
    "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR", "STOU", "STRU", "SYST", "TYPE", "USER", "XCWD", "XMKD", "XPWD",
    "XRMD",
];

/// Behind the commands of Telnet that a client may put before ABOR or STAT (RFC 959, 4.1.3; RFC 854).
pub(super) fn without_telnet(mut line: &[u8]) -> &[u8] {
    while let [0xff, 0xf0..=0xfa, rest @ ..] = line {
        line = rest;
    }
    line
}

/// Whether AUTH asks for TLS (RFC 4217, 4 and 17).
pub(super) fn is_tls(argument: &[u8]) -> bool {
    let argument = argument.trim_ascii();
    [&b"TLS"[..], b"SSL", b"TLS-C", b"TLS-P"]
        .iter()
        .any(|name| argument.eq_ignore_ascii_case(name))
}

/// Whether a command's argument is a secret: an account (RFC 959, 4.1.1), a token (RFC 2228), a password that SITE sets.
pub(super) fn is_secret(word: &str, argument: &[u8]) -> bool {
    let first = argument.split(u8::is_ascii_whitespace).next().unwrap_or(&[]);
    let first = first.to_ascii_uppercase();
    match word {
        "ACCT" | "ADAT" => !argument.is_empty(),
        "SITE" => memchr::memmem::find(&first, b"PASS").is_some() || first.ends_with(b"PSWD"),
        _ => false,
    }
}

/// Reads `h1,h2,h3,h4,p1,p2` at the first digit: PORT's argument, or what stands in a reply to PASV.
pub(super) fn six_numbers(text: &[u8]) -> Option<(IpAddr, u16)> {
    let start = text.iter().position(u8::is_ascii_digit)?;
    let rest = &text[start..];
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b',')
        .unwrap_or(rest.len());
    let mut parts = rest[..end].split(|byte| *byte == b',');
    let mut numbers = [0u8; 6];
    for number in &mut numbers {
        *number = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    }
    let [a, b, c, d, high, low] = numbers;
    let complete = parts.next().is_none();
    complete.then(|| (IpAddr::V4(Ipv4Addr::new(a, b, c, d)), u16::from_be_bytes([high, low])))
}

/// Reads `|family|address|port|` with any delimiter (RFC 2428, 2 and 3); the address may be left out in a reply.
pub(super) fn extended(text: &[u8]) -> Option<(Option<IpAddr>, u16)> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let delimiter = text.chars().next().filter(char::is_ascii_punctuation)?;
    let mut parts = text[1..].split(delimiter);
    let (_, address, port) = (parts.next()?, parts.next()?, parts.next()?);
    let address = match address {
        "" => None,
        address => Some(address.parse().ok()?),
    };
    Some((address, port.parse().ok()?))
}

/// What stands in the reply's parentheses.
pub(super) fn in_parentheses(text: &[u8]) -> Option<&[u8]> {
    let open = memchr::memchr(b'(', text)? + 1;
    Some(&text[open..open + memchr::memchr(b')', &text[open..])?])
}

/// The number before the word `bytes`, as servers announce a transfer.
pub(super) fn announced_size(text: &[u8]) -> Option<u64> {
    let at = memchr::memmem::find(text, b" bytes")?;
    let digits = text[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    number(&text[at - digits..at])
}

/// A whole text that is a number.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// The path in a reply to PWD, in quotes (RFC 959, appendix II).
pub(super) fn quoted(text: &[u8]) -> Option<&[u8]> {
    let open = memchr::memchr(b'"', text)? + 1;
    Some(&text[open..open + memchr::memchr(b'"', &text[open..])?])
}

/// `name` seen from `folder`, without `..` and empty parts.
pub(super) fn joined(folder: &str, name: &str) -> String {
    let whole = if name.starts_with('/') {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for (at, part) in whole.split('/').enumerate() {
        match part {
            "" => {}
            "." if at > 0 => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "." | "..")) => {
                parts.pop();
            }
            ".." if whole.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    let start = if whole.starts_with('/') { "/" } else { "" };
    format!("{start}{}", parts.join("/"))
}

/// Where a file lies, as Zeek writes it.
pub(super) fn address(host: IpAddr, path: &str) -> String {
    let slash = if path.starts_with('/') { "" } else { "/" };
    match host {
        IpAddr::V4(host) => format!("ftp://{host}{slash}{path}"),
        IpAddr::V6(host) => format!("ftp://[{host}]{slash}{path}"),
    }
}
