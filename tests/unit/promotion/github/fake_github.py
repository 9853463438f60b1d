"""GitHub's REST API as far as it tells how environments are protected; forms of its documentation."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mistral7b.promotion import Promotion
from mistral7b.promotion.github_actions import github_environments

TOKEN = "secret"
Answers = dict[str, tuple[int, str]]
"""Status and body by path."""


def protected(promotion: Promotion) -> dict[str, Any]:
    """What GitHub says where all is as it has to be, by path."""
    answers: dict[str, Any] = {}
    for environment in github_environments(promotion):
        path = f"/repos/{promotion.settings.source.repository}/environments/{environment.name}"
        rules: list[dict[str, Any]] = [{"id": 1, "type": "branch_policy"}]
        if environment.reviewed:
            reviewer = {"type": "User", "reviewer": {"login": "octocat", "id": 1}}
            rules.append({"id": 2, "type": "required_reviewers", "reviewers": [reviewer]})
        answers[path] = {
            "name": environment.name,
            "protection_rules": rules,
            "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
        }
        policies = [{"id": 3, "name": promotion.settings.source.branch, "type": "branch"}]
        answers[f"{path}/deployment-branch-policies"] = {"branch_policies": policies}
    return answers


@contextmanager
def answering(answers: Answers) -> Iterator[str]:
    """Serves answers, which may change meanwhile, to those who have the token; the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["Authorization"] == f"Bearer {TOKEN}"
            status, text = answers.get(self.path, (404, "{}")) if known else (401, "{}")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()
