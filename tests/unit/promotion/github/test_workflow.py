"""What the workflow files say, whoever runs them."""

import re

import pytest

from mistral7b.promotion import Promotion
from mistral7b.promotion.github_actions import GATE_MINUTES, jobs
from mistral7b.promotion.schema import Build
from tests.unit.promotion.github.workflows import ENVIRONMENT, FILES, FOLDER, JOBS, PROMOTE, SHELL, script, steps

TEXT = "".join((FOLDER / file).read_text(encoding="utf-8") for file in FILES)


def test_it_runs_for_pushes_to_the_branch_and_by_hand_only() -> None:
    assert PROMOTE["on"] == {"push": {"branches": ["main"]}, "workflow_dispatch": {}}
    assert set(ENVIRONMENT["on"]) == {"workflow_call"}


def test_one_run_of_the_branch_at_a_time_and_none_is_cancelled() -> None:
    group = "mistral-7b-promotion-${{ github.ref }}"
    assert PROMOTE["concurrency"] == {"group": group, "cancel-in-progress": "false"}
    assert "concurrency" not in ENVIRONMENT


def test_environments_are_promoted_one_after_the_other_until_one_fails() -> None:
    strategy = PROMOTE["jobs"]["promote"]["strategy"]
    assert (strategy["max-parallel"], strategy["fail-fast"]) == ("1", "true")


def test_an_environment_begins_only_with_the_mark_that_the_one_before_leaves_at_its_end() -> None:
    asked = JOBS["review"]["steps"][0]
    left = JOBS["deploy"]["steps"][-1]
    assert asked["if"] == "fromJSON(inputs.environment).after"
    assert asked["with"]["name"].replace(".after", ".name") == left["with"]["name"]
    assert "if" not in left


def test_nothing_is_permitted_but_what_a_job_asks_for() -> None:
    sign_in = {"contents": "read", "id-token": "write"}
    assert PROMOTE["permissions"] == ENVIRONMENT["permissions"] == {}
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "build": {"contents": "read", "actions": "read"},
        "review": sign_in,
        "security": {},
        "deploy": sign_in,
    }
    assert PROMOTE["jobs"]["promote"]["permissions"] == sign_in


def test_every_action_is_pinned_to_a_full_commit_the_same_one_everywhere() -> None:
    used = re.findall(r"uses: ([^.\s]\S*)@(\S+) # (v\d+\.\d+\.\d+)$", TEXT, flags=re.M)
    assert len(used) == len(re.findall(r"uses: [^.\s]", TEXT))
    assert all(re.fullmatch("[0-9a-f]{40}", commit) for _, commit, _ in used)
    assert len(set(used)) == len({action for action, _, _ in used})


def test_no_value_is_pasted_into_a_script() -> None:
    assert [step for job in JOBS for step, made in steps(job).items() if "${{" in made.get("run", "")] == []
    assert re.findall(r"github\.(?:event|head_ref|actor|ref_name)|secrets\.", TEXT) == []


def test_the_build_has_no_way_into_aws() -> None:
    assert "configure-aws-credentials" not in str(JOBS["build"]["steps"])


def test_every_field_that_the_workflow_reads_is_printed(promotion: Promotion) -> None:
    printed = jobs(promotion)
    read = set(re.findall(r"fromJSON\(inputs\.environment\)\.(\w+)", TEXT))
    assert read | {"approval"} == set(printed["environments"][0])
    [fields] = re.findall(r"for field in (.*); do", script("Read the pipeline file"))
    assert set(fields.split()) < set(printed)


@pytest.mark.parametrize("kind", ["review", "deploy"])
def test_the_assembly_is_checked_before_it_is_used(kind: str) -> None:
    order = list(steps(kind))
    assert order.index("It is the one that was built") == order.index("Fetch the assembly") + 1
    assert steps(kind)["Fetch the assembly"]["with"] == {"name": steps("build")["Keep the assembly"]["with"]["name"]}


def test_each_job_signs_in_with_the_role_of_its_task() -> None:
    roles = {name: re.findall(r"\.(\w+_role)\b", str(job["steps"])) for name, job in JOBS.items()}
    assert roles == {"build": [], "review": ["review_role"], "security": [], "deploy": ["deploy_role", "gate_role"]}


def test_protection_comes_after_the_deployment_also_a_failed_one_then_smoke_and_gates() -> None:
    order = list(steps("deploy"))
    after = order[order.index("Deploy") + 1 :]
    assert after[0] == "Protect from removal, as the file says"
    assert after[2:4] == ["Smoke", "Gates"]
    assert steps("deploy")[after[0]]["if"] == "always()"


def test_smoke_and_gates_have_the_time_that_the_deployments_session_counts_on() -> None:
    of_the_environment = "${{ fromJSON(inputs.environment).%s }}"
    assert steps("deploy")["Smoke"]["timeout-minutes"] == of_the_environment % "smoke_minutes"
    assert steps("deploy")["Smoke"]["env"] == {"QUIET": of_the_environment % "quiet_minutes"}
    assert f"timeout {GATE_MINUTES}m " in script("Gates")


def test_each_job_has_a_time_limit_a_shell_that_stops_and_the_packages_it_needs() -> None:
    assert all(job["timeout-minutes"] for job in JOBS.values())
    assert ENVIRONMENT["defaults"]["run"]["shell"] == SHELL
    assert steps("build")["Set up"]["env"] == {"INSTALL": "test"}
    assert [JOBS[job]["env"] for job in ("review", "deploy")] == [{"INSTALL": "client"}, {"INSTALL": "pipeline"}]


def test_jobs_are_set_up_by_the_pipeline_files_command_with_the_same_default() -> None:
    scripts = [steps(job)["Set up"]["run"] for job in ("build", "review", "deploy")]
    assert set(scripts) == {script("Set up")}
    assert f'.build.setup // "{Build().setup}"' in scripts[0]


def test_approvals_are_githubs_environments() -> None:
    name = "${{ fromJSON(inputs.environment).name }}"
    found = {job: made.get("environment") for job, made in JOBS.items()}
    assert found == {"build": None, "review": None, "security": f"{name}-security", "deploy": name}


@pytest.mark.parametrize(
    ("review", "broadens", "security", "deployed"),
    [
        ("success", "false", "skipped", True),
        ("success", "true", "success", True),
        ("success", "true", "failure", False),
        ("success", "true", "skipped", False),
        ("failure", "", "skipped", False),
        ("skipped", "", "skipped", False),
    ],
)
def test_an_environment_is_deployed_after_its_review_and_the_approval_that_this_asks_for(
    review: str, broadens: str, security: str, deployed: bool
) -> None:
    condition = JOBS["deploy"]["if"].removeprefix("${{").removesuffix("}}").strip()
    for theirs, python in [
        ("!cancelled()", "True"),
        ("needs.review.result", repr(review)),
        ("needs.review.outputs.broadens", repr(broadens)),
        ("needs.security.result", repr(security)),
        ("&&", " and "),
        ("||", " or "),
    ]:
        assert theirs in condition
        condition = condition.replace(theirs, python)
    assert bool(eval(condition, {"__builtins__": {}})) is deployed
    assert JOBS["security"]["if"] == "needs.review.outputs.broadens == 'true'"


def test_what_is_stopped_is_started_before_it_is_deployed() -> None:
    names = [step.get("name") for step in JOBS["deploy"]["steps"]]
    assert names.index("Start the endpoint, if office hours have stopped it") + 1 == names.index("Deploy")
