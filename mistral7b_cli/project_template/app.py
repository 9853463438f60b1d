"""The CDK app: every file in environments/ becomes a stage, pipeline.yaml the pipeline that promotes them."""

from pathlib import Path

from mistral7b_stacks.app import main

if __name__ == "__main__":
    main(Path(__file__).absolute().parent)
