"""``vigla-rules coverage``: which rules can fire where, given what is connected."""
