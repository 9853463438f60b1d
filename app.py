"""The CDK app: every file of environments/ becomes a stage, pipeline.yaml the pipeline that promotes them."""

import sys
from pathlib import Path

HERE = Path(__file__).absolute().parent
sys.path += [str(HERE / room) for room in ("constructs", "stacks", "scaling_rules")]  # requirements.txt is all it takes

try:
    from mistral7b_stacks.app import main
except ModuleNotFoundError as error:
    sys.exit(f"{sys.executable}: {error}\nfix: pip install -r requirements.txt, or make setup")

if __name__ == "__main__":
    main(HERE)
