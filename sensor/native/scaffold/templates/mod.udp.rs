//! Title: the versions that both ends say, a datagram each. One event per connection, when both are known, else at its end.

pub(super) mod record;
mod wire;

use crate::event::Time;
use crate::proto::{Context, Dir, Next, Parser, Verdict, text};
use record::Title as Session;

/// Whether a datagram is Title: it is a whole greeting.
pub(crate) fn probe(bytes: &[u8], _: Dir, _: bool) -> Verdict {
    if matches!(wire::greeting(bytes), Ok(Some(_))) {
        Verdict::Yes
    } else {
        Verdict::No
    }
}

/// Title on one connection.
#[derive(Default)]
pub(crate) struct Title {
    started: Option<Time>,
    session: Session,
}

impl Title {
    fn emit(&mut self, context: &mut Context<'_>) {
        if let Some(started) = self.started.take() {
            context.emit(started, std::mem::take(&mut self.session));
        }
    }
}

impl Parser for Title {
    fn name(&self) -> &'static str {
        "NAME"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        let Ok(Some((version, _))) = wire::greeting(bytes) else {
            return Next::NotMine;
        };
        context.confirm("NAME");
        self.started.get_or_insert(context.ts);
        let slot = match dir {
            Dir::Orig => &mut self.session.client,
            Dir::Resp => &mut self.session.server,
        };
        *slot = Some(text(version));
        if self.session.client.is_some() && self.session.server.is_some() {
            self.emit(context);
            return Next::Bulk;
        }
        Next::More
    }

    fn is_transactional(&self) -> bool {
        true
    }

    /// Datagrams have no gaps between them.
    fn gap(&mut self, _: &mut Context<'_>, _: Dir, _: u64) -> Next {
        Next::More
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        self.emit(context);
    }
}

#[cfg(test)]
mod tests;
