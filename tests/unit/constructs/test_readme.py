import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint

README = Path(__file__).parents[3] / "constructs" / "sagemaker_tgi" / "README.md"


def test_the_example_of_the_readme_is_a_template_without_findings() -> None:
    [example] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    scope: dict[str, Any] = {}
    exec(compile(example, str(README), "exec"), scope)
    stack, app = scope["stack"], scope["app"]
    assert isinstance(stack, cdk.Stack)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::SageMaker::Endpoint", 1)
    assert [str(match) for match in lint(json.dumps(template.to_json()))] == []
    assert AwsSolutionsChecks(app).validate_scope(app).violations == []
