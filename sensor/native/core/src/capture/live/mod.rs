//! Interfaces as they are: `AF_PACKET` sockets with `TPACKET_V3` rings, one for each worker and interface.
//!
//! Nothing here needs more than `CAP_NET_RAW`. [`Port::open`] makes all rings of an interface at once, because they join the
//! fan-out in the order of their workers: the two directions of a pair of addresses, and the fragments of a datagram, meet in
//! the same ring, a tunnel's packets too, and all DHCP in the first. Only [`socket`], [`ring`] and [`links`] hold `unsafe` code.

mod fanout;
mod links;
mod program;
mod ring;
mod socket;

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::packet::link::LinkType;

pub use links::{Link, links};
pub use program::{Instruction, Program};
pub use ring::{Packet, Ring};
pub use socket::{Socket, wait};

/// Bytes of one block, the unit in which the kernel hands over.
pub const BLOCK: usize = 256 * 1024;
/// Milliseconds after which a block is handed over that is not full.
pub const RETIRE: u32 = 50;
/// The fewest blocks that make a ring.
const FEWEST: usize = 4;

/// How an interface is to be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The interface's name.
    pub name: String,
    /// Bytes of all its rings together.
    pub ring_bytes: usize,
    /// See also what is not sent to this machine.
    pub promiscuous: bool,
    /// Which packets are wanted, and how much of each.
    pub filter: Option<Program>,
}

/// Why an interface cannot be watched.
#[derive(Debug)]
pub enum PortError {
    /// There is none of that name, for now.
    Absent(String),
    /// This user may not.
    Permission(String),
    /// Its frames are of a kind that is not decoded (`ARPHRD_*`).
    Kind(String, u16),
    /// The system refused.
    Refused(String, &'static str, io::Error),
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(name) => write!(
                f,
                "{name}: there is no such interface; the sensor waits for it (`ip -br link` lists them)"
            ),
            Self::Permission(name) => write!(
                f,
                "{name}: this user may not open packet sockets; give the process CAP_NET_RAW (systemd: \
                 AmbientCapabilities=CAP_NET_RAW, as deploy/systemd/vigla-sensor.service does)"
            ),
            Self::Kind(name, kind) => write!(
                f,
                "{name}: frames of this kind of interface (ARPHRD {kind}) are not decoded; watch an Ethernet interface"
            ),
            Self::Refused(name, what, error) => write!(f, "{name}: {what}: {error}"),
        }
    }
}

impl std::error::Error for PortError {}

/// An interface that is being watched: what belongs to all its rings.
#[derive(Debug)]
pub struct Port {
    /// The kernel's number of the interface: another one of the same name has another.
    pub index: u32,
    /// What its frames begin with.
    pub link: LinkType,
    /// The largest frame it would send, without link header.
    pub mtu: u32,
    /// The kernel took the address-pair program; without it its own flow hash parts fragments from their flows.
    pub by_pair: bool,
    sockets: Vec<Arc<Socket>>,
}

/// What the kernel counted since it was last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Packets that passed the filter, dropped ones included.
    pub packets: u64,
    /// Packets for which no room was left.
    pub dropped: u64,
    /// How often a ring was full.
    pub freezes: u64,
}

impl Port {
    /// Opens an interface with one ring for each of `workers`.
    ///
    /// # Errors
    /// [`PortError`]; nothing stays open then.
    pub fn open(watched: &Watched, workers: usize) -> Result<(Self, Vec<Ring>), PortError> {
        let name = &watched.name;
        let refused = |what| move |error| of(name, what, error);
        let first = Socket::open().map_err(refused("a packet socket cannot be opened"))?;
        let link = find(name)?;
        let mtu = first.mtu(name).map_err(refused("its MTU cannot be read"))?;
        let kind = link_type(link.kind).ok_or_else(|| PortError::Kind(name.clone(), link.kind))?;
        let blocks = (watched.ring_bytes / BLOCK / workers.max(1)).max(FEWEST);
        let mut port = Self {
            index: link.index,
            link: kind,
            mtu,
            by_pair: true,
            sockets: Vec::with_capacity(workers),
        };
        let mut rings = Vec::with_capacity(workers);
        let mut first = Some(first);
        let mut group = None;
        for _ in 0..workers.max(1) {
            let socket = match first.take() {
                Some(socket) => socket,
                None => Socket::open().map_err(refused("a packet socket cannot be opened"))?,
            };
            // Deaf until all are in the fan-out: before that each would get every packet.
            socket
                .filter(&Program::nothing())
                .map_err(refused("a filter cannot be set"))?;
            let socket = Arc::new(socket);
            let ring = Ring::new(Arc::clone(&socket), blocks)
                .map_err(refused("its ring cannot be made; a smaller ring_mb needs less memory"))?;
            socket
                .bind(link.index)
                .map_err(refused("the packet socket cannot be bound to it"))?;
            if watched.promiscuous {
                socket
                    .promiscuous(link.index)
                    .map_err(refused("it cannot be made promiscuous"))?;
            }
            if workers > 1 {
                group = Some(
                    port.join(&socket, group)
                        .map_err(refused("its fan-out cannot be joined"))?,
                );
            }
            port.sockets.push(socket);
            rings.push(ring);
        }
        for socket in &port.sockets {
            match &watched.filter {
                Some(program) => socket
                    .filter(program)
                    .map_err(refused("the kernel refuses its filter"))?,
                None => socket.unfilter().map_err(refused("its filter cannot be taken off"))?,
            }
        }
        Ok((port, rings))
    }

    /// Joins the fan-out, or begins it; its number.
    fn join(&mut self, socket: &Socket, group: Option<u16>) -> io::Result<u16> {
        if let Some(group) = group {
            socket.join(group, self.by_pair)?;
            return Ok(group);
        }
        let group = match socket.begin(true) {
            Ok(group) => socket.spread(&fanout::by_address_pair()).map(|()| group),
            Err(error) => Err(error),
        };
        if group.is_err() {
            self.by_pair = false;
            return socket.begin(false);
        }
        group
    }

    /// Takes no more packets; those that lie in the rings stay.
    pub fn close_ears(&self) {
        for socket in &self.sockets {
            // Nothing is lost when this fails but the exactness of a last second.
            let _ = socket.filter(&Program::nothing());
        }
    }

    /// Asks all sockets what they counted.
    pub fn statistics(&self) -> Statistics {
        let mut sum = Statistics::default();
        for counted in self.sockets.iter().filter_map(|socket| socket.statistics().ok()) {
            sum.packets += counted.packets;
            sum.dropped += counted.dropped;
            sum.freezes += counted.freezes;
        }
        sum
    }
}

/// Whether an interface could be watched now; opens and closes a socket on it, without a ring.
///
/// # Errors
/// [`PortError`]: what [`Port::open`] would say.
pub fn probe(watched: &Watched) -> Result<Link, PortError> {
    let name = &watched.name;
    let refused = |what| move |error| of(name, what, error);
    let socket = Socket::open().map_err(refused("a packet socket cannot be opened"))?;
    let link = find(name)?;
    link_type(link.kind).ok_or_else(|| PortError::Kind(name.clone(), link.kind))?;
    if let Some(program) = &watched.filter {
        socket
            .filter(program)
            .map_err(refused("the kernel refuses its filter"))?;
    }
    Ok(link)
}

fn find(name: &str) -> Result<Link, PortError> {
    links()
        .map_err(|error| of(name, "interfaces cannot be listed", error))?
        .into_iter()
        .find(|link| link.name == name)
        .ok_or_else(|| PortError::Absent(name.to_owned()))
}

fn of(name: &str, what: &'static str, error: io::Error) -> PortError {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => PortError::Permission(name.to_owned()),
        Some(libc::ENODEV | libc::ENXIO) => PortError::Absent(name.to_owned()),
        _ => PortError::Refused(name.to_owned(), what, error),
    }
}

/// What frames of an interface begin with, by `ARPHRD_*`.
fn link_type(kind: u16) -> Option<LinkType> {
    match kind {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(LinkType::ETHERNET),
        libc::ARPHRD_NONE | libc::ARPHRD_PPP | libc::ARPHRD_TUNNEL | libc::ARPHRD_TUNNEL6 => Some(LinkType::RAW),
        _ => None,
    }
}
