"""CDK constructs that serve a Text Generation Inference container on a private SageMaker endpoint."""
