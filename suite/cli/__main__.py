"""Run the command line as ``python -m suite.cli``."""

import sys

from suite.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
