"""Systems Manager's parameters."""

from tests.unit.sagehost.validation.examples import Cases, of

EXAMPLES: Cases = of(
    "PutParameter",
    {"Name": "/a/b", "Value": "1", "Type": "String"},
    {
        "name": ({"Name": "/a b"}, {"Name": "a.b-c_d"}),
        "path without slash": ({"Name": "a/b"}, {}),
        "16 levels": ({"Name": "/a" * 16}, {"Name": "/a" * 15}),
        "large value": ({"Value": "x" * 4097}, {"Value": "x" * 4097, "Tier": "Advanced"}),
        "value beyond its pattern": ({"AllowedPattern": "[a-z]+"}, {"AllowedPattern": "[0-9]+"}),
    },
)
