"""`python -m vigla_console`."""

from vigla_console.cli import main

raise SystemExit(main())
