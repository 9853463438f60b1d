"""The pictures of what is deployed, held against the synthesized stacks: tools/pictures, drawn into docs/images."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

import aws_cdk as cdk
import pytest

from mistral7b_stacks.pipeline import PipelineStack
from tools.draw_architecture import IMAGES, STYLE, Box, Picture, drawn_icons, load, names, render

PICTURES = {name: load(name) for name in names()}
STACKS = {"architecture": "everything/endpoint", "pipeline": "typical/pipeline"}
"""The stack that each picture shows: the environment uses every feature."""
PROOFS = {"refers", "mentions", "order", "assumes", "traffic"}
README_WIDTH = 838
"""Pixels that GitHub gives a picture in a README."""


@dataclass(frozen=True)
class Deployed:
    """A picture, and the resources of the stack that it shows: by "TYPE PATH", each with its logical id."""

    picture: Picture
    resources: dict[str, str]
    template: dict[str, Any]

    def of(self, place: str) -> set[str]:
        """Logical ids of the resources that a group or a node stands for."""
        return self.matching(self.picture.places[place].get("resources", []))

    def matching(self, patterns: list[str]) -> set[str]:
        return {id_ for name, id_ in self.resources.items() if any(fnmatchcase(name, one) for one in patterns)}

    def text(self, place: str) -> str:
        return json.dumps([self.template["Resources"][one] for one in sorted(self.of(place))])

    def refers(self, source: str, targets: set[str]) -> bool:
        """Whether a resource of a node refers to one of the targets, or depends on it."""
        resources = self.template["Resources"]
        return any(targets & set(references(resources[one])) for one in self.of(source))


def references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name in {"Ref", "Fn::GetAtt", "DependsOn"}:
                yield from [one] if isinstance(one, str) else one
            else:
                yield from references(one)


def named(stack: cdk.Stack) -> dict[str, str]:
    found = [one for one in stack.node.find_all() if cdk.CfnResource.is_cfn_resource(one)]
    assert all(isinstance(one, cdk.CfnResource) for one in found)
    return {
        f"{one.cfn_resource_type} {one.node.path.removeprefix(f'{stack.node.path}/')}": stack.resolve(one.logical_id)
        for one in found
        if isinstance(one, cdk.CfnResource) and cdk.Stack.of(one) is stack
    }


Show = Callable[[str], Deployed]


@pytest.fixture(scope="session")
def show(stacks: dict[str, cdk.Stack], templates: dict[str, Any]) -> Show:
    """What a picture shows, by its name."""
    return lambda name: Deployed(PICTURES[name], named(stacks[STACKS[name]]), templates[STACKS[name]])


def edges(proof: str) -> list[Any]:
    return [
        pytest.param(name, edge, id=f"{name}-{edge['from']}-{edge['to']}")
        for name, picture in PICTURES.items()
        for edge in picture.data["edges"]
        if proof in edge
    ]


@pytest.mark.parametrize("name", PICTURES)
def test_every_resource_is_on_the_picture_or_listed_with_the_reason_why_not(name: str, show: Show) -> None:
    shown, data = show(name), PICTURES[name].data
    drawn = [pattern for place in PICTURES[name].places.values() for pattern in place.get("resources", [])]
    covered = shown.matching([*drawn, *data["not_drawn"]])
    assert not [resource for resource, id_ in shown.resources.items() if id_ not in covered]


@pytest.mark.parametrize("name", PICTURES)
def test_every_listed_resource_is_in_the_stack(name: str, show: Show) -> None:
    shown = show(name)
    drawn = [pattern for place in PICTURES[name].places.values() for pattern in place.get("resources", [])]
    assert not [pattern for pattern in [*drawn, *PICTURES[name].data["not_drawn"]] if not shown.matching([pattern])]


def test_types_of_every_other_environment_are_on_the_picture_or_listed(templates: dict[str, Any]) -> None:
    data, places = PICTURES["architecture"].data, PICTURES["architecture"].places
    listed = [one for place in places.values() for one in place.get("resources", [])]
    known = {one.split(" ")[0] for one in [*listed, *data["not_drawn"], *data["other_environments"]]}
    environments = [one for path, one in templates.items() if path.endswith("/endpoint")]
    used = {resource["Type"] for template in environments for resource in template["Resources"].values()}
    assert used - known == set()
    assert set(data["other_environments"]) <= used


@pytest.mark.parametrize("name", PICTURES)
def test_every_edge_has_a_proof_and_ends_at_what_is_drawn(name: str) -> None:
    picture = PICTURES[name]
    for edge in picture.data["edges"]:
        assert PROOFS & edge.keys(), edge
        for place, end in ("from", 0), ("to", -1):
            box = picture.box(edge[place])
            assert "path" not in edge or near(edge["path"][end], box), edge


def near(point: list[float], box: Box) -> bool:
    """Whether a line's end is at the edge of a box, within the tip of an arrow."""
    (x, y), (left, top, right, bottom), tip = point, box, 8
    return left - tip <= x <= right + tip and top - tip <= y <= bottom + tip


@pytest.mark.parametrize(("name", "edge"), edges("refers"))
def test_resources_refer_to_each_other_as_drawn(name: str, edge: dict[str, Any], show: Show) -> None:
    source, target = edge["refers"]
    assert show(name).refers(source, show(name).of(target))


@pytest.mark.parametrize(("name", "edge"), edges("mentions"))
def test_resources_name_what_they_use_as_drawn(name: str, edge: dict[str, Any], show: Show) -> None:
    place, text = edge["mentions"]
    assert text in show(name).text(place)


@pytest.mark.parametrize("name", PICTURES)
def test_nodes_with_the_key_sign_are_encrypted_with_that_key(name: str, show: Show) -> None:
    shown, keys = show(name), {one["id"]: one["key"] for one in PICTURES[name].data["nodes"] if "key" in one}
    assert not [node for node, key in keys.items() if not shown.refers(node, shown.matching([f"AWS::KMS::Key {key}"]))]
    assert {f"AWS::KMS::Key {key}" for key in keys.values()} == {one for one in shown.resources if "KMS::Key" in one}


@pytest.fixture
def deployed_stages(show: Show) -> list[dict[str, Any]]:
    """The stages of the synthesized pipeline."""
    resources = show("pipeline").template["Resources"].values()
    [pipeline] = [one for one in resources if one["Type"] == "AWS::CodePipeline::Pipeline"]
    stages: list[dict[str, Any]] = pipeline["Properties"]["Stages"]
    return stages


def test_stages_are_in_the_order_of_the_pipeline(deployed_stages: list[dict[str, Any]]) -> None:
    order = [tuple(edge["order"]) for edge in PICTURES["pipeline"].data["edges"] if "order" in edge]
    assert order == list(pairwise(stage["Name"] for stage in deployed_stages))


def test_actions_of_each_stage_are_drawn_in_the_order_they_run(deployed_stages: list[dict[str, Any]]) -> None:
    nodes = [one for one in PICTURES["pipeline"].data["nodes"] if "actions" in one]
    drawn = [action for one in sorted(nodes, key=lambda one: tuple(one["at"])) for action in one["actions"]]
    runs = [
        (stage["Name"], one.get("RunOrder", 1), one["Name"]) for stage in deployed_stages for one in stage["Actions"]
    ]
    assert sorted(drawn) == sorted(f"{stage}/{action}" for stage, _, action in runs)
    order = {f"{stage}/{action}": number for stage, number, action in runs}
    assert all(order[a] <= order[b] for a, b in pairwise(drawn) if a.split("/")[0] == b.split("/")[0])


def test_actions_are_inside_of_their_stage() -> None:
    picture = PICTURES["pipeline"]
    for node in [one for one in picture.data["nodes"] if "actions" in one]:
        left, top, right, bottom = picture.box(node["id"])
        [stage] = {action.split("/")[0] for action in node["actions"]}
        outer = picture.box(stage)
        assert outer[0] <= left < right <= outer[2] + 30, node  # a label is shorter than the room that is kept for it
        assert outer[1] <= top < bottom <= outer[3], node


@pytest.mark.parametrize(("name", "edge"), edges("assumes"))
def test_stages_assume_the_roles_of_the_account_as_drawn(
    name: str, edge: dict[str, Any], deployed_stages: list[dict[str, Any]]
) -> None:
    stage, role = edge["assumes"]
    [actions] = [one["Actions"] for one in deployed_stages if one["Name"] == stage]
    assert role in json.dumps([action.get("RoleArn") for action in actions])


def test_accounts_of_the_pipeline_are_as_many_as_drawn(pipelines: dict[str, PipelineStack]) -> None:
    promoted = pipelines["typical"].node.root.node.children
    accounts = {one.account for stage in promoted for one in stage.node.children if isinstance(one, cdk.Stack)}
    drawn = [one for one in PICTURES["pipeline"].data["groups"] if one["style"] == "account"]
    assert len(drawn) == len(accounts)


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_what_the_script_draws_of_its_list(name: str) -> None:
    assert (IMAGES / f"{name}.svg").read_text(encoding="utf-8") == render(PICTURES[name], drawn_icons())


@pytest.mark.parametrize("name", PICTURES)
def test_picture_needs_no_other_file(name: str) -> None:
    svg = (IMAGES / f"{name}.svg").read_text(encoding="utf-8")
    assert all(one.startswith(("#", "data:")) for one in re.findall(r'href="([^"]+)"', svg))
    assert "url(http" not in svg
    assert len(svg) < 150_000


@pytest.mark.parametrize("name", PICTURES)
def test_letters_are_ten_pixels_or_more_in_the_readme(name: str) -> None:
    width = PICTURES[name].data["size"][0]
    sizes = [float(one) for one in re.findall(r"font-size: ([\d.]+)px", STYLE)]
    assert min(sizes) * min(1, README_WIDTH / width) >= 10
