"""What is served (catalogue, TGI settings, environment files) and how to use it (client, prompts). Never imports aws_cdk."""
