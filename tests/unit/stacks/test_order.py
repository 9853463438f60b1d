"""The order in which CloudFormation makes an environment's resources; it removes them in the reverse one."""

from tests.unit.constraints.deployment import CONFIG, ENDPOINT, MODEL, Deployment, after


def ids(deployed: Deployment, kind: str, holding: str = "") -> set[str]:
    """Logical ids of the resources of a type that have some text in their properties."""
    return {n for n, r in deployed.resources.items() if r["Type"] == kind and holding in str(r["Properties"])}


def test_no_resource_waits_for_itself(deployed: Deployment) -> None:
    assert [name for name in deployed.resources if name in after(deployed.resources, name)] == []


def test_the_right_to_remove_interfaces_outlives_all_that_has_or_holds_them(deployed: Deployment) -> None:
    [policy] = ids(deployed, "AWS::IAM::RolePolicy", "DeleteNetworkInterface")
    [group] = ids(deployed, "AWS::EC2::SecurityGroup", "no ingress")
    outlived = {group, *ids(deployed, "AWS::EC2::Subnet")}.union(*(ids(deployed, k) for k in (MODEL, CONFIG, ENDPOINT)))
    assert {name for name in outlived if policy not in after(deployed.resources, name)} == set()


def test_permission_to_write_the_log_is_deleted_before_the_log_group(deployed: Deployment) -> None:
    [policy] = ids(deployed, "AWS::IAM::RolePolicy", "WriteLogs")
    [group] = ids(deployed, "AWS::Logs::LogGroup", "/aws/sagemaker/Endpoints/")
    assert group in after(deployed.resources, policy)


def test_every_permission_of_the_role_is_there_before_the_model(deployed: Deployment) -> None:
    [model] = ids(deployed, MODEL)
    [role] = ids(deployed, "AWS::IAM::Role", "model container")
    policies = ids(deployed, "AWS::IAM::RolePolicy", f"{{'Ref': '{role}'}}")
    assert len(policies) >= 3
    assert policies <= after(deployed.resources, model)
