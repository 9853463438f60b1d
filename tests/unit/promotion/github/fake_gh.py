"""The GitHub CLI as far as `gh api` of environments goes, against settings in a file. Run as a program."""

import json
import sys
from pathlib import Path
from typing import Any

IDS = {"users/octocat": 583231, "orgs/octo-org/teams/releasers": 42}


def main() -> None:
    """Answers one call."""
    store = Path(__file__).with_name("github.json")
    environments: dict[str, Any] = json.loads(store.read_text()) if store.exists() else {}
    arguments = sys.argv[1:]
    assert arguments.pop(0) == "api"
    path = next(a for a in arguments if a.startswith(("users/", "orgs/", "repos/")))
    method = arguments[arguments.index("--method") + 1] if "--method" in arguments else "GET"
    if path in IDS:
        sys.stdout.write(f"{IDS[path]}\n")
        return
    _, owner, repository, kind, name, *rest = path.split("/")
    assert (owner, repository, kind) == ("octo-org", "mistral-7b", "environments")
    if method == "PUT":
        environments[name] = {"policies": []} | json.load(sys.stdin)
    elif name not in environments:
        sys.stdout.write('{"message": "Not Found", "status": "404"}')
        sys.exit("gh: Not Found (HTTP 404)")
    elif method == "POST":
        environments[name]["policies"].append(dict(field.split("=", 1) for field in arguments if "=" in field))
    else:
        json.dump(policies(environments[name]) if rest else described(environments[name]), sys.stdout)
    store.write_text(json.dumps(environments))


def described(settings: dict[str, Any]) -> dict[str, Any]:
    """An environment in the form of GitHub's REST API."""
    rules: list[dict[str, Any]] = [{"id": 1, "type": "branch_policy"}]
    if settings["reviewers"]:
        rules.append({"id": 2, "type": "required_reviewers", "reviewers": settings["reviewers"]})
    return {"protection_rules": rules, "deployment_branch_policy": settings["deployment_branch_policy"]}


def policies(settings: dict[str, Any]) -> dict[str, Any]:
    """Its deployment branch policies."""
    return {"total_count": len(settings["policies"]), "branch_policies": settings["policies"]}


if __name__ == "__main__":
    main()
