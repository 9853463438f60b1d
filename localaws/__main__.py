"""`python -m localaws`."""

import sys

from localaws.accounts import isolate

if __name__ == "__main__":
    isolate()

    from localaws.server import main

    sys.exit(main())
