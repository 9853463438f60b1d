"""Environment files: what to run, where, and how; typed and checked before anything is deployed."""

from mistral7b.environment.load import EnvironmentFileError as EnvironmentFileError
from mistral7b.environment.load import load_environment as load_environment
from mistral7b.environment.load import load_environments as load_environments
from mistral7b.environment.schema import Alarms as Alarms
from mistral7b.environment.schema import AutoScaling as AutoScaling
from mistral7b.environment.schema import Callers as Callers
from mistral7b.environment.schema import CompliancePack as CompliancePack
from mistral7b.environment.schema import DataCapture as DataCapture
from mistral7b.environment.schema import Environment as Environment
from mistral7b.environment.schema import ExistingVpc as ExistingVpc
from mistral7b.environment.schema import Instance as Instance
from mistral7b.environment.schema import OwnVpc as OwnVpc
from mistral7b.environment.schema import ScheduledBounds as ScheduledBounds
from mistral7b.environment.schema import Updates as Updates
from mistral7b.environment.schema import json_schema as json_schema
from mistral7b.yamlfile import Problem as Problem
