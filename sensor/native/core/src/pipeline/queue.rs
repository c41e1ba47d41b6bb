//! The bounded way from the core's thread to whoever polls: when it is full the core waits, nothing is dropped.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Alerts of one stretch of input, and the instant after them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// JSON documents.
    pub alerts: VecDeque<Vec<u8>>,
    /// The checkpoint that holds once these alerts are kept.
    pub checkpoint: Option<Vec<u8>>,
}

impl Chunk {
    fn bytes(&self) -> usize {
        self.alerts.iter().map(Vec::len).sum::<usize>() + self.checkpoint.as_ref().map_or(0, Vec::len)
    }
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    closed: bool,
}

/// Chunks in order; one producer, one consumer.
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    limit: usize,
}

impl Queue {
    /// One that holds about `limit` bytes: a chunk is let in while fewer wait.
    pub fn new(limit: usize) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            limit,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a chunk in, waiting for room until `stop` says otherwise; then it is let in all the same.
    pub fn push(&self, chunk: Chunk, stop: &dyn Fn() -> bool) {
        let mut state = self.lock();
        while state.bytes >= self.limit && !stop() {
            let waited = self.changed.wait_timeout(state, Duration::from_millis(50));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.bytes += chunk.bytes();
        state.chunks.push_back(chunk);
        drop(state);
        self.changed.notify_all();
    }

    /// No more will come.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// At most `most` alerts, waiting up to `timeout` for the first; the checkpoint after the last of them, if there is one
    /// between it and the next; and whether the end was reached.
    pub fn pop(&self, most: usize, timeout: Duration) -> (Vec<Vec<u8>>, Option<Vec<u8>>, bool) {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        while state.chunks.is_empty() && !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let (mut alerts, mut checkpoint) = (Vec::new(), None);
        let before: usize = state.bytes;
        let mut taken = 0;
        while let Some(chunk) = state.chunks.front_mut() {
            while alerts.len() < most
                && let Some(alert) = chunk.alerts.pop_front()
            {
                taken += alert.len();
                alerts.push(alert);
            }
            if !chunk.alerts.is_empty() {
                break;
            }
            // The alerts of this chunk are all given out: its instant holds from here on.
            if let Some(instant) = chunk.checkpoint.take() {
                taken += instant.len();
                checkpoint = Some(instant);
            }
            state.chunks.pop_front();
        }
        state.bytes = before - taken;
        let finished = state.closed && state.chunks.is_empty();
        drop(state);
        self.changed.notify_all();
        (alerts, checkpoint, finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(alerts: &[&str], checkpoint: Option<&str>) -> Chunk {
        Chunk {
            alerts: alerts.iter().map(|alert| alert.as_bytes().to_vec()).collect(),
            checkpoint: checkpoint.map(|text| text.as_bytes().to_vec()),
        }
    }

    #[test]
    fn an_instant_never_comes_before_its_alerts() {
        let queue = Queue::new(1000);
        queue.push(chunk(&["a", "b", "c"], Some("1")), &|| false);
        queue.push(chunk(&[], Some("2")), &|| false);
        queue.push(chunk(&["d"], None), &|| false);
        queue.close();
        assert_eq!(
            queue.pop(2, Duration::ZERO),
            (vec![b"a".to_vec(), b"b".to_vec()], None, false)
        );
        assert_eq!(
            queue.pop(1, Duration::ZERO),
            (vec![b"c".to_vec()], Some(b"2".to_vec()), false)
        );
        assert_eq!(queue.pop(9, Duration::ZERO), (vec![b"d".to_vec()], None, true));
        assert_eq!(queue.lock().bytes, 0);
    }

    #[test]
    fn a_full_queue_holds_the_producer_and_loses_nothing() {
        let queue = Queue::new(10);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..100 {
                    queue.push(chunk(&[&format!("{n:05}")], None), &|| false);
                    assert!(queue.lock().bytes <= 14);
                }
                queue.close();
            });
            let mut got = Vec::new();
            loop {
                let (alerts, _, finished) = queue.pop(3, Duration::from_secs(5));
                got.extend(alerts);
                if finished {
                    break;
                }
            }
            let want: Vec<Vec<u8>> = (0..100).map(|n| format!("{n:05}").into_bytes()).collect();
            assert_eq!(got, want);
        });
    }

    #[test]
    fn stopping_lets_the_last_chunk_in() {
        let queue = Queue::new(1);
        queue.push(chunk(&["full"], None), &|| false);
        queue.push(chunk(&["last"], None), &|| true);
        queue.close();
        assert_eq!(queue.pop(9, Duration::ZERO).0.len(), 2);
    }
}
