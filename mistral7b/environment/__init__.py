"""Environment files: what to run, where, and how; typed and checked before anything is deployed."""

from mistral7b.environment.load import EnvironmentFileError, load_environment, load_environments
from mistral7b.environment.schema import (
    AutoScaling,
    Callers,
    CompliancePack,
    DataCapture,
    Encryption,
    Environment,
    ExistingVpc,
    Instance,
    Network,
    OwnVpc,
    Removal,
    Timeouts,
    json_schema,
)
from mistral7b.yamlfile import Problem

__all__ = [
    "AutoScaling",
    "Callers",
    "CompliancePack",
    "DataCapture",
    "Encryption",
    "Environment",
    "EnvironmentFileError",
    "ExistingVpc",
    "Instance",
    "Network",
    "OwnVpc",
    "Problem",
    "Removal",
    "Timeouts",
    "json_schema",
    "load_environment",
    "load_environments",
]
