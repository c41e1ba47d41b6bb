"""Vigla's rule tools: the only place where pySigma and sigma-cli are imported."""

__version__ = "0.1.0"
