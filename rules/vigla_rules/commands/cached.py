"""The cache that a command's options ask for."""

import argparse
import sys

from vigla_rules.caching.cache import DraftCache, user_cache


def chosen_cache(options: argparse.Namespace) -> DraftCache | None:
    """``--cache DIR``, the user's own, or none with ``--no-cache``; what is wrong with it goes to standard error."""
    if options.no_cache:
        return None

    def warn(what: str) -> None:
        sys.stderr.write(f"vigla-rules: warning: {what}\n")

    try:
        return DraftCache(user_cache() if options.cache is None else options.cache, warn)
    except RuntimeError as error:  # no home directory
        warn(f"no cache: {error}; name a folder with --cache")
        return None
