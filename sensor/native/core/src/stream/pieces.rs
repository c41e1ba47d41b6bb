//! Pieces of a byte sequence in order of offset, without overlap: of bytes that come twice the first win.

/// Adds the bytes that no earlier piece holds; returns how many.
pub(crate) fn insert(pieces: &mut Vec<(u64, Vec<u8>)>, offset: u64, bytes: &[u8]) -> usize {
    let (mut at, end, mut added) = (offset, offset + bytes.len() as u64, 0);
    let mut index = pieces.partition_point(|(start, held)| start + held.len() as u64 <= offset);
    while at < end {
        let free_until = pieces.get(index).map_or(end, |(start, _)| (*start).min(end));
        if at < free_until {
            let fresh = &bytes[(at - offset) as usize..(free_until - offset) as usize];
            pieces.insert(index, (at, fresh.to_vec()));
            added += fresh.len();
            index += 1;
        }
        at = pieces.get(index).map_or(end, |(start, held)| start + held.len() as u64);
        index += 1;
    }
    added
}

/// Whether a held byte differs from the one that came again.
pub(crate) fn differs(pieces: &[(u64, Vec<u8>)], offset: u64, bytes: &[u8]) -> bool {
    let end = offset + bytes.len() as u64;
    let first = pieces.partition_point(|(start, held)| start + held.len() as u64 <= offset);
    pieces[first..]
        .iter()
        .take_while(|(start, _)| *start < end)
        .any(|(start, held)| {
            let (from, to) = ((*start).max(offset), (start + held.len() as u64).min(end));
            held[(from - start) as usize..(to - start) as usize]
                != bytes[(from - offset) as usize..(to - offset) as usize]
        })
}
