"""``vigla-rules diff``."""

import argparse
import json
import sys
from dataclasses import asdict

from vigla_rules.differing import differences
from vigla_rules.vpk import read_pack


def diff_command(options: argparse.Namespace) -> int:
    """Prints what differs between two packs; 1 when anything does."""
    found = differences(read_pack(options.old), read_pack(options.new))
    if options.json:
        sys.stdout.write(json.dumps([asdict(difference) for difference in found], ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{difference}\n" for difference in found)
        sys.stdout.write(f"{len(found)} differences\n")
    return 1 if found else 0
