"""Measures an endpoint under load: Locust's users over boto3, the table of the published benchmark, and a verdict."""
