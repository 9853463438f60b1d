"""app.py without the validation of templates, for the project in the current directory.

tests/unit/stacks validate the templates of every variant; here it would only cost time.
"""

from pathlib import Path
from unittest.mock import patch

from mistral7b_stacks import app

with patch.object(app, "add_template_validation"):
    app.main(Path.cwd())
