"""Your files in environments/: they are valid, pass every check, and deploy what you have accepted.

After an edit, the last test shows what it changes. `make accept` accepts that; commit the files of accepted/ with it.
"""

from mistral7b_stacks.acceptance import *  # noqa: F403
