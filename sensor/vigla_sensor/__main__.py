"""`python -m vigla_sensor`."""

import sys

from vigla_sensor.cli import main

if __name__ == "__main__":
    sys.exit(main())
