//! The machine's interfaces and what their cards counted (getifaddrs(3)).

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::ptr::null_mut;

/// Where `struct rtnl_link_stats` (rtnetlink) has what a card lost.
const DROPPED: usize = 6;
const FIFO: usize = 14;
const MISSED: usize = 15;

/// An interface at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The kernel's number.
    pub index: u32,
    /// `ARPHRD_*`.
    pub kind: u16,
    /// Switched on, with a carrier.
    pub up: bool,
    /// Packets received; wraps.
    pub received: u32,
    /// Packets that the card or its driver lost (`rx_dropped`, `rx_missed_errors`, `rx_fifo_errors`); wraps.
    pub lost: u32,
}

/// All interfaces of this network namespace.
///
/// # Errors
/// The system's.
pub fn links() -> io::Result<Vec<Link>> {
    let mut first: *mut libc::ifaddrs = null_mut();
    // SAFETY: the call writes a list's start, which is freed below.
    if unsafe { libc::getifaddrs(&raw mut first) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next = first;
    while !next.is_null() {
        // SAFETY: a node of the list, alive until `freeifaddrs`.
        let node = unsafe { &*next };
        // SAFETY: as above; addresses and names of nodes live as long.
        found.extend(unsafe { link(node) });
        next = node.ifa_next;
    }
    // SAFETY: the list of the call above; nothing borrows from it any more.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

/// # Safety
/// `node` is one that `getifaddrs` gave.
unsafe fn link(node: &libc::ifaddrs) -> Option<Link> {
    if node.ifa_addr.is_null() {
        return None;
    }
    // SAFETY: every address begins with its family.
    if i32::from(unsafe { (*node.ifa_addr).sa_family }) != libc::AF_PACKET {
        return None;
    }
    // SAFETY: addresses of this family are `sockaddr_ll`, and `ifa_data` is `rtnl_link_stats` or null.
    let (address, name) = unsafe {
        (
            node.ifa_addr.cast::<libc::sockaddr_ll>().read_unaligned(),
            CStr::from_ptr(node.ifa_name),
        )
    };
    let counter = |at: usize| {
        let counters = node.ifa_data.cast::<u32>();
        if counters.is_null() {
            return 0;
        }
        // SAFETY: the structure has 23 numbers or more, and `at` is below that.
        unsafe { *counters.add(at) }
    };
    let wanted = (libc::IFF_UP | libc::IFF_RUNNING) as u32;
    Some(Link {
        name: name.to_string_lossy().into_owned(),
        index: address.sll_ifindex.unsigned_abs(),
        kind: address.sll_hatype,
        up: node.ifa_flags & wanted == wanted,
        received: counter(0),
        lost: counter(DROPPED)
            .wrapping_add(counter(FIFO))
            .wrapping_add(counter(MISSED)),
    })
}
