"""Which jobs run, as GitHub decides it: what is approved, what fails, what is skipped."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from mistral7b.promotion import Promotion
from tests.unit.promotion.github.pipelines import parsed


@dataclass(frozen=True)
class Run:
    """One run of the workflow: what each job ends with where it runs at all, and what reviews find."""

    fails: frozenset[str] = frozenset()
    broadens: frozenset[str] = frozenset()
    ref: str = "refs/heads/main"

    def results(self, document: Any) -> dict[str, str]:
        """Every job's result, jobs in the order in which they can start."""
        results: dict[str, str] = {}
        outputs: dict[str, dict[str, str]] = {}
        for job, made in document["jobs"].items():
            needs = made.get("needs", [])
            assert set(needs) <= results.keys(), "a job needs one that comes later"
            if not self._starts(made.get("if", ""), needs, document, results, outputs):
                results[job] = "skipped"
                continue
            results[job] = "failure" if job in self.fails else "success"
            if job.startswith("review-") and results[job] == "success":
                broadens = job.removeprefix("review-") in self.broadens
                outputs[job] = {"broadens": str(broadens).lower()}
        return results

    def _starts(
        self,
        condition: str,
        needs: list[str],
        document: Any,
        results: Mapping[str, str],
        outputs: Mapping[str, Mapping[str, str]],
    ) -> bool:
        expression = condition.removeprefix("${{").removesuffix("}}").strip() or "true"
        # Without a status function a job starts only where its ancestors, all of them, have succeeded.
        if not re.search(r"\b(success|failure|cancelled|always)\(\)", expression) and any(
            results[ancestor] != "success" for ancestor in ancestors(document, needs)
        ):
            return False
        read = {job: {"result": results[job], **outputs.get(job, {})} for job in needs}
        return evaluated(expression, read, self.ref)


def ancestors(document: Any, needs: list[str]) -> set[str]:
    return set(needs).union(*(ancestors(document, document["jobs"][job].get("needs", [])) for job in needs))


def evaluated(expression: str, needs: Mapping[str, Mapping[str, str]], ref: str) -> bool:
    """Evaluates the part of GitHub's expressions that the workflow uses; KeyError where a job is not in `needs`."""
    text = re.sub(
        r"needs\.([\w-]+)\.(?:outputs\.)?(\w+)", lambda m: repr(needs[m[1]].get(m[2], "")), expression
    ).replace("github.ref", repr(ref))
    for theirs, python in (("!cancelled()", "True"), ("&&", " and "), ("||", " or ")):
        text = text.replace(theirs, python)
    assert re.fullmatch(r"(?:'[^']*'|==|True|and|or|[() ])+|true", text), text
    return bool(eval(text, {"__builtins__": {}}, {"true": True}))


def deployed(promotion: Promotion, run: Run) -> list[str]:
    results = run.results(parsed(promotion))
    return [name for name in ("dev", "staging", "prod") if results[f"deploy-{name}"] == "success"]


def test_everything_is_deployed_where_nothing_broadens(promotion: Promotion) -> None:
    results = Run().results(parsed(promotion))
    assert [job for job, result in results.items() if result == "success"] == [
        "build",
        "review-dev",
        "deploy-dev",
        "review-staging",
        "deploy-staging",
        "review-prod",
        "deploy-prod",
    ]


def test_what_broadens_rights_is_deployed_after_its_approval(promotion: Promotion) -> None:
    run = Run(broadens=frozenset({"dev", "prod"}))
    results = run.results(parsed(promotion))
    assert [results[f"security-{name}"] for name in ("dev", "staging", "prod")] == ["success", "skipped", "success"]
    assert deployed(promotion, run) == ["dev", "staging", "prod"]


@pytest.mark.parametrize(("refused", "reached"), [("dev", []), ("staging", ["dev"]), ("prod", ["dev", "staging"])])
def test_what_broadens_rights_is_not_deployed_when_it_is_rejected(
    promotion: Promotion, refused: str, reached: list[str]
) -> None:
    run = Run(broadens=frozenset({refused}), fails=frozenset({f"security-{refused}"}))
    assert deployed(promotion, run) == reached


@pytest.mark.parametrize("kind", ["review", "deploy"])
@pytest.mark.parametrize(("failed", "reached"), [("dev", []), ("staging", ["dev"]), ("prod", ["dev", "staging"])])
def test_nothing_is_deployed_after_a_failure(promotion: Promotion, kind: str, failed: str, reached: list[str]) -> None:
    assert deployed(promotion, Run(fails=frozenset({f"{kind}-{failed}"}))) == reached


def test_nothing_is_even_looked_at_after_a_failed_build(promotion: Promotion) -> None:
    results = Run(fails=frozenset({"build"})).results(parsed(promotion))
    assert {result for job, result in results.items() if job != "build"} == {"skipped"}


def test_a_run_of_another_branch_skips_everything(promotion: Promotion) -> None:
    results = Run(ref="refs/heads/topic").results(parsed(promotion))
    assert set(results.values()) == {"skipped"}


def test_every_output_that_a_job_reads_is_one_that_a_job_it_needs_has(variant: Promotion) -> None:
    jobs = parsed(variant)["jobs"]
    for job, made in jobs.items():
        for needed, output in re.findall(r"needs\.([\w-]+)\.outputs\.(\w+)", str(made)):
            assert needed in made["needs"], job
            assert output in jobs[needed]["outputs"], job


def test_every_output_comes_from_a_step_of_its_job(variant: Promotion) -> None:
    for job in parsed(variant)["jobs"].values():
        for value in job.get("outputs", {}).values():
            [(step, output)] = re.findall(r"steps\.(\w+)\.outputs\.(\w+)", value)
            [script] = [s["run"] for s in job["steps"] if s.get("id") == step]
            assert f"{output}=" in script
