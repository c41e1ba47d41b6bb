"""Vigla's sensor: the pure Python around the native core.

It composes, configures, spools, ships and explains. It never touches a packet, a log line or a rule: those stay in
``vigla_native``.
"""

__version__ = "0.1.0"
