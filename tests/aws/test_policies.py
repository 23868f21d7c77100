"""The rights that examples/aws gives: each names what it is for, exists, and is no more than what the code needs."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import zappa.core

from authserver.identity import cognito
from authserver.runtime.keys import CONTEXT
from tests.aws.stacks import DOCUMENTS, FOLDER, TEMPLATES, deploy, read, statements
from tests.aws_server import ACCOUNT, REGION, MotoServer

EVERY_RESOURCE = {
    "AttachToTheVpc": "Lambda makes network interfaces with the function's role, and AWS documents these rights with every resource",
    "ButNotFromTheCode": "takes the former away from the code, so that the more the better",
    "FindSchedules": "EventBridge knows no resource for it",
    "LookUpTheNetwork": "EC2 knows no resource for it",
    "IamPoliciesOfThisAccountDecide": "in a key's own policy, * is this key",
}
EVERY_ACTION = {"IamPoliciesOfThisAccountDecide": "what AWS has in a key's policy by default, so that nobody is locked out"}
NAMED_THEN_ALL = re.compile(r".*[:/](authserver-|log-stream:|key/)\*")
"""What follows a name of ours may be anything: a stage, a stream of a log group, a key of this account behind an endpoint."""

NOT_IN_OUR_SETTINGS = {
    "PutProvisionedConcurrencyConfig": "provisioned_concurrency is not set",
    "GetProvisionedConcurrencyConfig": "likewise",
    "DeleteProvisionedConcurrencyConfig": "likewise",
}
EVERYTHING = {
    "KeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
    "SecretArns": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:authserver-production/smtp-url-AbCdEf",
    "ParameterArns": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/authserver-production/database-password",
    "DatabaseResourceId": "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "InVpc": "true",
    "UserPoolArn": f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_EXAMPLE00",
}


def each_statement() -> Iterator[Any]:
    for path in (*TEMPLATES, *DOCUMENTS):
        for number, statement in enumerate(statements(path)):
            yield pytest.param(statement, id=f"{path.name}-{statement.get('Sid', number)}")


EACH_STATEMENT = list(each_statement())


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text_of(resource: Any) -> str:
    """A resource as text; what a parameter or another resource decides is not `*`."""
    if isinstance(resource, dict) and "Fn::Sub" in resource:
        return re.sub(r"\$\{[^}]*\}", "of-a-parameter", str(as_list(resource["Fn::Sub"])[0]))
    return resource if isinstance(resource, str) else "of-a-parameter"


def resources_of(statement: dict[str, Any]) -> list[str]:
    return [text_of(resource) for resource in as_list(statement["Resource"])]


@pytest.mark.parametrize("statement", EACH_STATEMENT)
def test_a_statement_names_its_resources(statement: dict[str, Any]) -> None:
    named = resources_of(statement)
    assert named
    if statement.get("Sid") not in EVERY_RESOURCE:
        assert [text for text in named if "*" in text and not NAMED_THEN_ALL.fullmatch(text)] == []


@pytest.mark.parametrize("statement", EACH_STATEMENT)
def test_a_statement_names_its_actions(statement: dict[str, Any]) -> None:
    assert "NotAction" not in statement
    assert "NotResource" not in statement
    assert statement.get("Sid") in EVERY_ACTION or not [action for action in as_list(statement["Action"]) if "*" in action]


def test_the_exceptions_are_needed() -> None:
    seen = {statement.get("Sid"): statement for path in (*TEMPLATES, *DOCUMENTS) for statement in statements(path)}
    assert [sid for sid in EVERY_RESOURCE if resources_of(seen[sid]) != ["*"]] == []
    for sid in ("FindSchedules", "LookUpTheNetwork"):
        assert [action for action in as_list(seen[sid]["Action"]) if about(action).get("Resources")] == []


@pytest.mark.parametrize("statement", EACH_STATEMENT)
def test_an_action_exists_and_belongs_to_its_resource(statement: dict[str, Any]) -> None:
    for action in as_list(statement["Action"]):
        if "*" not in action:
            about(action)
    services = {action.partition(":")[0] for action in as_list(statement["Action"])}
    for text in resources_of(statement):
        assert not text.startswith("arn:") or text.split(":")[2] in services


@cache
def known_actions() -> dict[str, Any]:
    """AWS's list of actions with their resources, as cfn-lint has it."""
    package = find_spec("cfnlint")  # without importing it, which takes two seconds
    assert package is not None
    assert package.origin is not None
    return json.loads((Path(package.origin).parent / "data" / "AdditionalSpecs" / "Policies.json").read_text())


def about(action: str) -> dict[str, Any]:
    service, _, name = action.partition(":")
    return {key.lower(): value for key, value in known_actions()[service]["Actions"].items()}[name.lower()]


# The function


def granted(moto: MotoServer, role: str) -> list[dict[str, Any]]:
    client = moto.client("iam")
    names = client.list_role_policies(RoleName=role)["PolicyNames"]
    found = [client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"] for name in names]
    return [statement for document in found for statement in document]


def test_a_function_without_anything_may_write_its_own_log(moto: MotoServer) -> None:
    made = deploy(moto, "function-role", "bare", FunctionName="bare", RoleName="bare")
    (only,) = granted(moto, "bare")
    assert made["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/bare"
    assert only["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert only["Resource"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/bare:log-stream:*"


def test_the_document_says_what_the_template_grants(moto: MotoServer) -> None:
    deploy(moto, "function-role", "whole", RoleName="whole", **EVERYTHING)
    document = (FOLDER / "function-policy.json").read_text().replace("us-east-1", REGION)
    by_sid = {statement["Sid"]: statement for statement in json.loads(document)["Statement"]}
    assert {statement["Sid"]: statement for statement in granted(moto, "whole")} == by_sid


def test_a_stored_value_without_a_key_of_our_own_needs_no_kms(moto: MotoServer) -> None:
    deploy(moto, "function-role", "stored", RoleName="stored", SecretArns=EVERYTHING["SecretArns"])
    assert [statement["Sid"] for statement in granted(moto, "stored")] == ["WriteOwnLogs", "ReadSecrets"]


def test_lambda_and_eventbridge_may_assume_the_role_and_nobody_else(moto: MotoServer) -> None:
    deploy(moto, "function-role", "assumed", RoleName="assumed")
    document = moto.client("iam").get_role(RoleName="assumed")["Role"]["AssumeRolePolicyDocument"]
    functions, schedules = document["Statement"]
    assert functions["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert schedules["Principal"] == {"Service": "events.amazonaws.com"}
    assert schedules["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def rights(path: Path) -> set[str]:
    return {action for statement in statements(path) for action in as_list(statement["Action"])}


def test_the_function_can_invoke_nothing() -> None:
    assert not {action for action in rights(FOLDER / "function-policy.json") if action.startswith(("lambda:", "iam:", "sts:"))}


def test_kms_opens_for_the_function_what_the_server_sealed_and_no_more() -> None:
    opening = [statement for statement in statements(FOLDER / "function-policy.json") if statement["Action"] == "kms:Decrypt"]
    conditions = [statement["Condition"]["StringEquals"] for statement in opening]
    assert conditions[0] == {f"kms:EncryptionContext:{name}": value for name, value in CONTEXT.items()}
    assert [set(condition) for condition in conditions[1:]] == [{"kms:ViaService"}]


def test_cognito_is_asked_for_what_the_role_may_ask() -> None:
    called = {f"cognito-idp:{name}" for name in re.findall(r'"(Admin\w+)"', inspect.getsource(cognito))}
    assert called == {action for action in rights(FOLDER / "function-policy.json") if action.startswith("cognito-idp:")}


def test_network_rights_are_denied_to_the_code() -> None:
    by_sid = {statement["Sid"]: statement for statement in statements(FOLDER / "function-policy.json")}
    assert by_sid["ButNotFromTheCode"]["Effect"] == "Deny"
    assert by_sid["ButNotFromTheCode"]["Action"] == by_sid["AttachToTheVpc"]["Action"]
    assert read("function-role")["Resources"]["Network"]["Condition"] == "HasVpc"


# Who deploys


def calls_of_zappa(*clients: str) -> set[str]:
    """The operations that Zappa's core calls by these clients, as AWS names them; waiters and paginators are made of the same."""
    tree = ast.parse(inspect.getsource(zappa.core))
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    named = {item.attr for item in called if isinstance(item.value, ast.Attribute) and item.value.attr in clients}
    return {"".join(part.title() for part in name.split("_")) for name in named - {"get_waiter", "get_paginator"}}


def test_whoever_deploys_may_make_each_call_of_zappa() -> None:
    named = {"Invoke": "InvokeFunction"}
    called = {named.get(name, name) for name in calls_of_zappa("lambda_client")} - NOT_IN_OUR_SETTINGS.keys()
    needed = {f"lambda:{name}" for name in called} | {f"events:{name}" for name in calls_of_zappa("events_client")}
    assert len(needed) > 25
    assert needed - rights(FOLDER / "deploy-policy.json") == set()


def test_whoever_deploys_gives_a_role_to_lambda_and_schedules_alone() -> None:
    (passing,) = [statement for statement in statements(FOLDER / "deploy-policy.json") if statement["Action"] == "iam:PassRole"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "events.amazonaws.com"]}}
    assert not {action for action in rights(FOLDER / "deploy-policy.json") if re.match(r"iam:(Put|Create|Attach|Update)", action)}
