"""One module per command of ``vigla-rules``."""
