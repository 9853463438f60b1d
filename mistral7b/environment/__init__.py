"""Environment files: what to run, where, and how; typed and checked before anything is deployed."""

from mistral7b.environment.load import EnvironmentFileError, load_environment, load_environments
from mistral7b.environment.schema import (
    AutoScaling,
    Callers,
    CompliancePack,
    DataCapture,
    Environment,
    ExistingVpc,
    OwnVpc,
    json_schema,
)
from mistral7b.yamlfile import Problem

__all__ = [
    "AutoScaling",
    "Callers",
    "CompliancePack",
    "DataCapture",
    "Environment",
    "EnvironmentFileError",
    "ExistingVpc",
    "OwnVpc",
    "Problem",
    "json_schema",
    "load_environment",
    "load_environments",
]
