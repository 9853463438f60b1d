"""Systems Manager's parameters."""

from typing import Any

Json = dict[str, Any]
EXAMPLES: dict[str, tuple[str, Json, Json, Json]] = {
    name: ("PutParameter", {"Name": "/a/b", "Value": "1", "Type": "String"}, refused, accepted)
    for name, (refused, accepted) in {
        "name": ({"Name": "/a b"}, {"Name": "a.b-c_d"}),
        "path without slash": ({"Name": "a/b"}, {}),
        "16 levels": ({"Name": "/a" * 16}, {"Name": "/a" * 15}),
        "large value": ({"Value": "x" * 4097}, {"Value": "x" * 4097, "Tier": "Advanced"}),
        "value beyond its pattern": ({"AllowedPattern": "[a-z]+"}, {"AllowedPattern": "[0-9]+"}),
    }.items()
}
