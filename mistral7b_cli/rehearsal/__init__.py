"""The pipeline of `environments/pipeline.yaml`, rehearsed on an embedded AWS: all its accounts and stages."""
