//! Bytes as several inputs: a length before each piece, so that a fuzzer can move the borders.

/// Takes pieces off `data`: the first `lead` bytes of each say what it is, then two bytes its length.
pub fn pieces(data: &[u8], lead: usize) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let (head, tail) = rest.split_at_checked(lead + 2)?;
        let length = usize::from(u16::from_le_bytes([head[lead], head[lead + 1]]));
        let (piece, tail) = tail.split_at(length.min(tail.len()));
        rest = tail;
        Some((&head[..lead], piece))
    })
}
