"""What is checked of every request before a service sees it: botocore's model, then rules of our own."""
