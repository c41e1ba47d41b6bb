//! Title: the versions that both ends say. One event per connection, when both are known, else at its end.

pub(super) mod record;
mod wire;

use crate::event::Time;
use crate::proto::{Context, Dir, Next, Parser, Unfinished, Verdict, text};
use record::Title as Session;

/// Whether a stream is Title: either end starts with its greeting.
pub(crate) fn probe(bytes: &[u8], _: Dir, _: bool) -> Verdict {
    match wire::greeting(bytes) {
        Ok(Some(_)) => Verdict::Yes,
        Ok(None) => Verdict::More,
        Err(wire::NotAGreeting) => Verdict::No,
    }
}

/// Title on one connection.
#[derive(Default)]
pub(crate) struct Title {
    partial: [Unfinished; 2],
    greeted: [bool; 2],
    started: Option<Time>,
    session: Session,
}

impl Title {
    /// The greeting of one end; returns how many bytes were used, 0 where more are needed.
    fn step(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Result<usize, Next> {
        if self.greeted[dir.index()] {
            return Ok(bytes.len());
        }
        let greeting = wire::greeting(bytes).map_err(|wire::NotAGreeting| Next::NotMine)?;
        let Some((version, used)) = greeting else {
            return Ok(0);
        };
        context.confirm("NAME");
        self.started.get_or_insert(context.ts);
        self.greeted[dir.index()] = true;
        let slot = match dir {
            Dir::Orig => &mut self.session.client,
            Dir::Resp => &mut self.session.server,
        };
        *slot = Some(text(version));
        Ok(used)
    }

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
        let mut unfinished = std::mem::take(&mut self.partial[dir.index()]);
        let result = unfinished.each(bytes, |bytes| self.step(context, dir, bytes));
        self.partial[dir.index()] = unfinished;
        match result {
            Err(next) => next,
            Ok(()) if self.greeted == [true; 2] => {
                self.emit(context);
                Next::Bulk
            }
            Ok(()) => Next::More,
        }
    }

    /// What was missed may have been the greeting, and where the next unit starts is unknown.
    fn gap(&mut self, _: &mut Context<'_>, _: Dir, _: u64) -> Next {
        Next::Bulk
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        self.emit(context);
    }
}

#[cfg(test)]
mod tests;
