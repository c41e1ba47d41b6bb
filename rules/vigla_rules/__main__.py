"""``python -m vigla_rules``."""

import sys

from vigla_rules.cli import main

if __name__ == "__main__":
    sys.exit(main())
