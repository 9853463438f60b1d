"""Calling a deployed endpoint: a client over boto3, and the errors that it raises."""
