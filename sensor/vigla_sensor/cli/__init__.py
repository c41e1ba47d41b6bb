"""`vigla-sensor`: one command line; exit codes 0 fine, 1 findings or failures, 2 usage or configuration."""

from vigla_sensor.cli.main import main

__all__ = ["main"]
