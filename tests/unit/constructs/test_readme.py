import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint

from tests.documents import code

ROOT = Path(__file__).parents[3]
EXAMPLES = code(ROOT / "constructs" / "sagemaker_tgi" / "README.md", "python")


@pytest.mark.parametrize("example", EXAMPLES, ids=["five lines", "with parts of one's own"])
def test_an_example_of_the_readme_is_a_template_without_findings(example: str) -> None:
    scope: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), scope)
    stack, app = scope["stack"], scope["app"]
    assert isinstance(stack, cdk.Stack)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::SageMaker::Endpoint", 1)
    assert [str(match) for match in lint(json.dumps(template.to_json()))] == []
    assert AwsSolutionsChecks(app).validate_scope(app).violations == []


def test_the_page_on_own_repositories_has_the_five_lines() -> None:
    assert EXAMPLES[0] in (ROOT / "docs" / "own-repository.md").read_text(encoding="utf-8")
