"""The command `sagehost`, also `python -m sagehost`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from sagehost.accounts import isolate
from sagehost.clock import parse_speed

_DESCRIPTION = """\
AWS on this machine, with SageMaker real-time endpoints that answer. Ctrl-C ends it; what was deployed is then gone.

It prints the settings that lead to it, for another shell. Their secret access key is made anew at each start, and
nobody else gets in; the 12 digits in the key id are the account that you act as, any will do.

Then `cdk bootstrap`, `cdk deploy`, the AWS CLI and boto3 work as with AWS."""

_EPILOG = """\
environment variables (seconds, of a clock that runs as fast as --speed says):
  SAGEHOST_ENDPOINT_SECONDS    until an endpoint is created or updated (1)
  SAGEHOST_INTERFACE_SECONDS   until the network interface of a removed instance is deleted (2)
  SAGEHOST_DEPENDENCY_SECONDS  for which CloudFormation repeats deletions that EC2 refuses with
                               DependencyViolation (three times the interfaces')
  SAGEHOST_ENDPOINT_QUOTA      no seconds: instances of one type that the endpoints of an account and
                               region may have (100)

environment variable (a time, such as 2026-03-02T07:59:00+01:00):
  SAGEHOST_NOW                 at which the clock starts (now)

An image is answered for by the installed package that has an entry point in the group sagehost.containers
with the name of the image's repository. How to write one: the README of sagehost."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Exit code 1: the port is taken; 2: an argument or a variable is wrong."""
    parser = argparse.ArgumentParser(
        prog="sagehost",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=_port, default=5600, help="on localhost; 0 takes a free one (default: 5600)")
    parser.add_argument("--ready-file", type=Path, help="write pid, port, url and secret here, not there")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started it")
    speed = "seconds of its clock in a second, from 0.1 to 100, or instant: nothing takes time (default: 1)"
    parser.add_argument("--speed", type=_speed, default="1", help=speed)
    parser.add_argument("--version", action="version", version=f"sagehost {version('sagehost')}")
    options = parser.parse_args(arguments)
    isolate()
    os.environ["SAGEHOST_SPEED"] = options.speed

    from sagehost.server import serve  # noqa: PLC0415 - imports botocore, of which parts read the AWS variables

    return serve(options.port, options.ready_file, until_stdin_closes=options.until_stdin_closes)


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to 65535")
    return int(text)


def _speed(text: str) -> str:
    try:
        parse_speed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


if __name__ == "__main__":
    sys.exit(main())
