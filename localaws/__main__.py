"""`python -m localaws`."""

import sys

from localaws.server import main

if __name__ == "__main__":
    sys.exit(main())
