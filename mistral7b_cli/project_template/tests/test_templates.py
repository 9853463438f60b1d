"""The environments are valid, pass every check, and deploy the templates in accepted/; --accept takes those of now."""

from mistral7b_stacks.acceptance import *
