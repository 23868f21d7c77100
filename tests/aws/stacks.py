"""The templates and policy documents of examples/aws: read with their short forms, and deployed into an emulation."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import hjson
import yaml

from tests.aws_server import MotoServer

FOLDER = Path(__file__).parent.parent.parent / "examples" / "aws"
TEMPLATES = sorted(FOLDER.glob("*.yaml"))
DOCUMENTS = sorted(FOLDER.glob("*.json"))


class Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms, which become members: `!Ref A` is {"Ref": "A"}."""


def _short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _short_form)


@cache
def read(name: str) -> dict[str, Any]:
    """A template by its name without `.yaml`; not to be changed."""
    return yaml.load((FOLDER / f"{name}.yaml").read_text(), Loader)


def resources(name: str, kind: str) -> dict[str, dict[str, Any]]:
    """The properties of a template's resources of a kind, by their names."""
    return {key: value["Properties"] for key, value in read(name)["Resources"].items() if value["Type"] == kind}


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in a document, with its name."""
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield name, inner
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from members(inner)


def statements(path: Path) -> list[dict[str, Any]]:
    """The statements of identity policies and resource policies in a file; those that say who may assume a role are not among them."""
    document = json.loads(path.read_text()) if path.suffix == ".json" else read(path.stem)
    found = [statement for name, value in members(document) if name == "Statement" for statement in value]
    return [statement for statement in found if statement["Action"] != "sts:AssumeRole"]


def stage(name: str) -> dict[str, Any]:
    """The settings of a stage of zappa_settings.json."""
    stages = hjson.loads((FOLDER.parent.parent / "zappa_settings.json").read_text())
    base = stages[name].get("extends")
    return {**(stages[base] if base else {}), **stages[name]}


def schedules(name: str) -> dict[str, timedelta]:
    """How often each job of a stage runs."""
    spans = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
    found = {event["function"]: re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", event["expression"]) for event in stage(name)["events"]}
    return {function: int(match[1]) * spans[match[2]] for function, match in found.items() if match}


def deploy(moto: MotoServer, name: str, stack: str, **parameters: str) -> dict[str, str]:
    """Make a stack of a template; return its outputs."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    client = moto.client("cloudformation")
    body = (FOLDER / f"{name}.yaml").read_text()
    client.create_stack(StackName=stack, TemplateBody=body, Parameters=given, Capabilities=["CAPABILITY_NAMED_IAM"])
    (made,) = client.describe_stacks(StackName=stack)["Stacks"]
    assert made["StackStatus"] == "CREATE_COMPLETE"
    outputs: list[Mapping[str, str]] = made.get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}
