"""Names that the stacks of an environment agree on."""

from mistral7b.environment import Environment
from sagemaker_tgi import endpoint_log_group_name


def flow_log_group_name(environment: Environment) -> str:
    """Log group of the own VPC's flow logs."""
    return f"/mistral7b/{environment.name}/vpc-flow-logs"


def log_group_names(environment: Environment) -> list[str]:
    """Every log group of the environment."""
    own = [flow_log_group_name(environment)] if environment.own_vpc else []
    return [endpoint_log_group_name(environment.resolved_endpoint_name), *own]
