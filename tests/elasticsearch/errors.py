"""Why the real server cannot be had here: what is missing and how to get it."""


class ProvisionError(RuntimeError):
    """A tool, a download or the server's start failed; the text says which and what to do."""
