"""``python -m xdpl`` is the command `xdpl`."""

import sys

from xdpl.cli import main

sys.exit(main())
