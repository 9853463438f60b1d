"""What the embedded AWS does in time, by boto3 alone: its answers, alarms, scaling and updates under load.

Run `python benchmarks/embedded.py` with one of

    cells     latency and throughput of 1 to 128 users, within 3% of the model's; 4 minutes
    streams   the CPU of 128 streams, and whether 400 at once lose a token; a minute
    instant   the CPU of a request that needs no waiting; half a minute
    canary    an update to slower settings under load is rolled back by its own alarm; 2 minutes
    scaling   a burst scales out and in as `mistral7b simulate` says; 3 minutes
    hour      an hour of the clock with everything at once: lost requests, threads, memory; 4 minutes

on a machine with nothing else to do: load and server together take up to two cores. Exit status 1 if a bar is missed.
CPU and memory of the server are read from Linux's /proc.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).absolute().parents[1]))  # nothing of benchmarks and tests is installed
from benchmarks.embedded_events import canary, hour, scaling
from benchmarks.embedded_speed import cells, instant, streams

MEASUREMENTS = {one.__name__: one for one in (cells, streams, instant, canary, scaling, hour)}


def main() -> int:
    """Runs one measurement; 1 if it misses a bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measurement", choices=MEASUREMENTS)
    return MEASUREMENTS[parser.parse_args().measurement]()


if __name__ == "__main__":
    sys.exit(main())
