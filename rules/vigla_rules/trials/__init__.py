"""``vigla-rules test``: each rule's samples through the real sensor and through an obvious reference evaluator."""
