"""CloudFormation: a service of our own, on moto's wire protocol and over moto's other services."""
