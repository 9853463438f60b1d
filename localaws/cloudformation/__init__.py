"""CloudFormation: templates, change sets and stack operations, over the services of moto."""
