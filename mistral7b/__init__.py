"""What is served (catalogue, TGI settings, environment files) and how to use it. Never imports aws_cdk."""
