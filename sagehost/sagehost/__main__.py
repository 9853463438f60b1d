"""`python -m sagehost`."""

import sys

from sagehost.accounts import isolate

if __name__ == "__main__":
    isolate()

    from sagehost.server import main

    sys.exit(main())
