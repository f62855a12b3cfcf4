"""`python -m rca` is `rca`."""

import sys

from rca.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
