"""The few commands of the AWS command line that the README uses, done by boto3, which has what they need; see `install`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import boto3
import jmespath

ROOT = Path(__file__).parents[2]


def install(folder: Path) -> Path:
    """Make a folder for the path of a shell, with `aws` in it."""
    folder.mkdir()
    program = folder / "aws"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m tests.aws.aws_command "$@"\n')
    program.chmod(0o755)
    return folder


def main() -> None:
    """Read and run one command."""
    parser = argparse.ArgumentParser(prog="aws")
    parser.add_argument("service", choices=("cloudformation", "kms"))
    parser.add_argument("action", choices=("deploy", "delete-stack", "describe-key"))
    parser.add_argument("--output", choices=["text"])
    for option in ("stack-name", "template-file", "key-id", "query"):
        parser.add_argument(f"--{option}")
    for option in ("parameter-overrides", "capabilities"):
        parser.add_argument(f"--{option}", nargs="+", default=[])
    arguments = parser.parse_args()
    client = boto3.client(arguments.service)
    answer = {"deploy": deploy, "delete-stack": delete_stack, "describe-key": describe_key}[arguments.action](client, arguments)
    if arguments.query:
        print(jmespath.search(arguments.query, answer))


def deploy(client: Any, arguments: argparse.Namespace) -> Any:
    pairs = [override.partition("=") for override in arguments.parameter_overrides]
    client.create_stack(
        StackName=arguments.stack_name,
        TemplateBody=Path(arguments.template_file).read_text(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, _, value in pairs],
        Capabilities=arguments.capabilities,
    )
    (stack,) = client.describe_stacks(StackName=arguments.stack_name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    repair_keys(client, arguments.stack_name)
    return stack


def repair_keys(client: Any, stack_name: str) -> None:
    """moto keeps a key's policy as CloudFormation has it, an object, and cannot read that; KMS has it as text."""
    for resource in client.list_stack_resources(StackName=stack_name)["StackResourceSummaries"]:
        if resource["ResourceType"] == "AWS::KMS::Key":
            identity = boto3.client("sts").get_caller_identity()["Account"]
            statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{identity}:root"}, "Action": "kms:*", "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            boto3.client("kms").put_key_policy(KeyId=resource["PhysicalResourceId"], PolicyName="default", Policy=policy)


def delete_stack(client: Any, arguments: argparse.Namespace) -> Any:
    return client.delete_stack(StackName=arguments.stack_name)


def describe_key(client: Any, arguments: argparse.Namespace) -> Any:
    return client.describe_key(KeyId=arguments.key_id)


if __name__ == "__main__":
    main()
