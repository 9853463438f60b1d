"""What the workflow says, whoever runs it."""

import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from mistral7b.promotion import Promotion
from mistral7b.promotion.github_actions import workflow
from mistral7b.promotion.github_actions.pins import ACTIONS
from tests.unit.promotion.github.pipelines import VARIANTS, load, parsed, scripts

OUTSIDE = re.compile(r"github\.(event|head_ref|actor|ref_name)|inputs\.|secrets\.")


class Yaml(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "yml"


def steps(document: Any, job: str) -> dict[str, Any]:
    return {step["name"]: step for step in document["jobs"][job]["steps"]}


@pytest.mark.parametrize("variant", ["three-environments", "other-commands"])
def test_the_workflow_is_the_recorded_one(variant: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    assert workflow(load(tmp_path, VARIANTS[variant])) == snapshot(extension_class=Yaml)


def test_two_makings_are_the_same_to_the_byte(variant: Promotion) -> None:
    assert workflow(variant) == workflow(variant)


def test_it_runs_for_pushes_to_the_branch_and_by_hand_alone(promotion: Promotion) -> None:
    # YAML 1.1 reads the key `on` as true; GitHub reads YAML 1.2
    document = yaml.load(workflow(promotion), Loader=yaml.BaseLoader)
    assert document["on"] == {"push": {"branches": ["main"]}, "workflow_dispatch": {}}


def test_a_run_by_hand_of_another_branch_does_nothing(promotion: Promotion) -> None:
    assert parsed(promotion)["jobs"]["build"]["if"] == "github.ref == 'refs/heads/main'"


def test_a_plus_in_a_branch_is_no_pattern(tmp_path: Path) -> None:
    promotion = load(tmp_path, VARIANTS["other-branch"])
    document = yaml.load(workflow(promotion), Loader=yaml.BaseLoader)
    assert document["on"]["push"]["branches"] == [r"release/1.0\+gpu"]
    assert document["jobs"]["build"]["if"] == "github.ref == 'refs/heads/release/1.0+gpu'"


def test_one_run_of_the_branch_at_a_time_and_none_is_cancelled(variant: Promotion) -> None:
    document = parsed(variant)
    group = "mistral-7b-promotion-${{ github.ref }}"
    assert document["concurrency"] == {"group": group, "cancel-in-progress": False}
    assert not any("concurrency" in job for job in document["jobs"].values())


def test_nothing_is_permitted_but_what_a_job_asks_for(promotion: Promotion) -> None:
    document = parsed(promotion)
    assert document["permissions"] == {}
    asked = {job: made["permissions"] for job, made in document["jobs"].items()}
    sign_in = {"contents": "read", "id-token": "write"}
    assert asked["build"] == {"contents": "read", "actions": "read"}
    for name in ("dev", "staging", "prod"):
        assert (asked[f"review-{name}"], asked[f"deploy-{name}"]) == (sign_in, sign_in)
        assert asked[f"security-{name}"] == {}


def test_every_action_is_one_of_the_pinned_at_its_full_commit(variant: Promotion) -> None:
    used = re.findall(r"uses: (\S+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$", workflow(variant), flags=re.M)
    assert len(used) == sum("uses" in step for job in parsed(variant)["jobs"].values() for step in job["steps"])
    assert set(used) == {(action.repository, action.commit, action.version) for action in ACTIONS}


def test_no_value_from_outside_is_pasted_into_a_script(variant: Promotion) -> None:
    assert [name for name, script in scripts(parsed(variant)) if "${{" in script] == []
    assert OUTSIDE.findall(workflow(variant)) == []


def test_no_checkout_leaves_a_token_behind_and_each_is_of_the_runs_commit(variant: Promotion) -> None:
    checkouts = [
        step["with"]
        for job in parsed(variant)["jobs"].values()
        for step in job["steps"]
        if "actions/checkout" in step.get("uses", "")
    ]
    assert checkouts
    assert all(given == {"ref": "${{ github.sha }}", "persist-credentials": False} for given in checkouts)


def test_commands_of_the_pipeline_file_arrive_as_they_are_written(tmp_path: Path) -> None:
    given = VARIANTS["other-commands"]
    document = parsed(load(tmp_path, given))
    build, deploy = steps(document, "build"), steps(document, "deploy-dev")
    assert [build["Set up"]["run"], build["Test"]["run"]] == [given["build"]["setup"], given["build"]["test"]]
    assert [deploy["Gate 1"]["run"], deploy["Gate 2"]["run"]] == given["environments"][0]["gates"]


def test_the_build_has_no_way_into_aws(variant: Promotion) -> None:
    build = parsed(variant)["jobs"]["build"]
    assert "id-token" not in build["permissions"]
    assert "aws" not in str(build["steps"]).lower()


def test_there_is_one_artifact_kept_as_long_as_the_pipeline_file_says(tmp_path: Path) -> None:
    document = parsed(load(tmp_path, VARIANTS["other-branch"]))
    uploads = [s for job in document["jobs"].values() for s in job["steps"] if "upload" in s.get("uses", "")]
    assert [step["with"]["retention-days"] for step in uploads] == [5]


@pytest.mark.parametrize("kind", ["review", "deploy"])
def test_review_and_deployment_unpack_the_builds_artifact_after_its_digest_is_checked(
    promotion: Promotion, kind: str
) -> None:
    document = parsed(promotion)
    uploaded = steps(document, "build")["Keep the assembly"]["with"]["name"]
    for name in ("dev", "staging", "prod"):
        found = steps(document, f"{kind}-{name}")
        order = list(found)
        assert found["Fetch the assembly"]["with"] == {"name": uploaded}
        assert found["It is the one that was built"]["env"] == {"DIGEST": "${{ needs.build.outputs.digest }}"}
        assert order.index("It is the one that was built") == order.index("Fetch the assembly") + 1


def test_a_deployment_is_of_the_assembly_and_of_its_environment_alone(promotion: Promotion) -> None:
    document = parsed(promotion)
    for name in ("dev", "staging", "prod"):
        assert steps(document, f"deploy-{name}")["Deploy"]["run"] == (
            f".venv/bin/cdk --app cdk.out deploy '{name}/*' --require-approval never"
        )


def test_each_job_signs_in_with_the_role_of_its_environment_and_task(promotion: Promotion) -> None:
    document = parsed(promotion)
    signed_in = {
        job: [step["with"]["role-to-assume"] for step in made["steps"] if "configure-aws" in step.get("uses", "")]
        for job, made in document["jobs"].items()
    }
    arn = "arn:aws:iam::222222222222:role/mistral-7b-staging"
    assert signed_in["review-staging"] == [f"{arn}-github-review"]
    assert signed_in["deploy-staging"] == [f"{arn}-github", f"{arn}-gate"]
    assert signed_in["security-staging"] == signed_in["build"] == []


def test_an_environment_without_an_account_is_in_the_pipelines(promotion: Promotion) -> None:
    given = steps(parsed(promotion), "review-dev")["Sign in to look"]["with"]
    assert (given["role-to-assume"].split(":")[4], given["allowed-account-ids"]) == ("111111111111", "111111111111")


def test_protection_comes_after_the_deployment_then_smoke_and_gates_with_the_gate_role_alone(
    promotion: Promotion,
) -> None:
    order = list(steps(parsed(promotion), "deploy-staging"))
    after = order[order.index("Deploy") + 1 :]
    assert after.pop(0) == "Protect from removal, as the file says"
    assert after == ["Sign in to ask the endpoint, and for nothing else", "Smoke", "Gate 1", "Gate 2"]


def test_the_gate_roles_session_is_made_with_the_deployments(promotion: Promotion) -> None:
    given = steps(parsed(promotion), "deploy-dev")["Sign in to ask the endpoint, and for nothing else"]["with"]
    assert (given["role-chaining"], given["role-skip-session-tagging"]) == (True, True)
    assert given["role-duration-seconds"] == 3600


def test_a_deployment_has_time_to_fail_and_to_be_rolled_back(tmp_path: Path) -> None:
    slow = "timeouts: {model_download_seconds: 3600, container_startup_seconds: 1800}\n"
    document = parsed(load(tmp_path, dev=slow))
    minutes = document["jobs"]["deploy-dev"]["timeout-minutes"]
    assert 2 * 90 < minutes <= 360
    session = steps(document, "deploy-dev")["Sign in to deploy"]["with"]["role-duration-seconds"]
    assert session == 60 * minutes


def test_every_job_has_a_time_limit_and_a_runner_of_one_version(variant: Promotion) -> None:
    jobs = parsed(variant)["jobs"].values()
    assert {job["runs-on"] for job in jobs} == {"ubuntu-24.04"}
    assert all(1 <= job["timeout-minutes"] <= 360 for job in jobs)


def test_approvals_are_environments_of_github_by_the_environments_names(promotion: Promotion) -> None:
    found = {job: made.get("environment") for job, made in parsed(promotion)["jobs"].items()}
    assert found["deploy-prod"] == {"name": "prod"}
    assert found["security-prod"] == {"name": "prod-security"}
    assert found["review-prod"] is None


def test_another_folder_of_environment_files_is_the_one_of_every_command(tmp_path: Path) -> None:
    text = workflow(load(tmp_path), folder=PurePosixPath("settings/of us"))
    document = yaml.safe_load(text)
    assert document["env"] == {"MISTRAL7B_ENVIRONMENTS": "settings/of us"}
    assert "cdk synth --quiet --output cdk.out --context 'environments=settings/of us'" in text


def test_the_build_compares_the_workflow_with_the_pipeline_file_under_its_own_name(promotion: Promotion) -> None:
    text = workflow(promotion, file=PurePosixPath(".github/workflows/ours.yml"))
    found = steps(yaml.safe_load(text), "build")["This workflow is what the pipeline file says"]
    assert found["run"] == ".venv/bin/mistral7b pipeline github-actions --check --output .github/workflows/ours.yml"
