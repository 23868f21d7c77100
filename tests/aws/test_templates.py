"""The templates of examples/aws: linted, deployed into an emulation where it knows the resources, and held against the code."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from typing import Any

import pytest

from authserver.authorizer.settings import read_settings
from authserver.runtime.embedded_metrics import AGE, COUNTS, LAG, NAMESPACE
from authserver.runtime.settings import Settings
from authserver.web.mount import SECRET
from tests.aws.stacks import FOLDER, TEMPLATES, deploy, members, read, resources, schedules, stage
from tests.aws_server import MotoServer

OF_USE_AND_NO_ALARM = {"TokensIssued"}


def test_cfn_lint_finds_nothing() -> None:
    from cfnlint.config import ConfigMixIn, ManualArgs
    from cfnlint.runner import Runner

    named = [str(path) for path in TEMPLATES]
    found = Runner(ConfigMixIn([], **ManualArgs(templates=named, regions=["us-east-1", "eu-central-1"]))).run()
    assert [str(match) for match in found] == []
    assert len(named) == 10


@pytest.mark.parametrize("name", [path.stem for path in TEMPLATES])
def test_no_template_holds_a_secret_or_asks_for_one(name: str) -> None:
    asked = [parameter for parameter in read(name)["Parameters"] if re.search("password|secret$|token", parameter, re.IGNORECASE)]
    assert [parameter for parameter in asked if read(name)["Parameters"][parameter].get("AllowedValues") != ["true", "false"]] == []
    values = [value for key, value in members(read(name)["Resources"]) if re.search("Password$|SecretString|ClientSecret$", key)]
    assert all(value is True or "{{resolve:secretsmanager:" in str(value) for value in values)


@pytest.mark.parametrize("name", [path.stem for path in TEMPLATES])
def test_what_holds_data_says_what_becomes_of_it(name: str) -> None:
    kinds = ("AWS::KMS::Key", "AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::Logs::LogGroup", "AWS::SecretsManager::Secret")
    keeping = [value for value in read(name)["Resources"].values() if value["Type"] in kinds]
    assert [value for value in keeping if not {"DeletionPolicy", "UpdateReplacePolicy"} <= value.keys()] == []


@pytest.mark.parametrize("name", ["protected-http-api", "protected-rest-api", "protected-alb"])
def test_an_issuer_with_a_slash_at_its_end_is_refused(name: str) -> None:
    pattern = re.compile(read(name)["Parameters"]["Issuer"]["AllowedPattern"])
    assert pattern.fullmatch("https://login.example.com")
    assert pattern.fullmatch("https://login.example.com/auth")
    for wrong in ("https://login.example.com/", "http://login.example.com", "https://login.example.com?a=b", "https://login.example.com#"):
        assert not pattern.fullmatch(wrong)


# The platform


def test_the_platform_has_a_key_that_rotates_and_a_log_that_ends(moto: MotoServer) -> None:
    made = deploy(moto, "platform", "platform", FunctionName="platform", LogRetentionDays="90", WithSmtpSecret="true")
    assert moto.client("kms").get_key_rotation_status(KeyId=made["KeyArn"])["KeyRotationEnabled"]
    (group,) = moto.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/platform")["logGroups"]
    assert group["retentionInDays"] == 90
    assert made["LogGroupName"] == group["logGroupName"]


def test_the_key_of_the_platform_seals_for_the_server_alone(moto: MotoServer) -> None:
    from authserver.runtime.keys import CONTEXT

    made = deploy(moto, "platform", "sealing", FunctionName="sealing")
    kms = moto.client("kms")
    sealed = kms.generate_data_key(KeyId="alias/sealing", KeySpec="AES_256", EncryptionContext=CONTEXT)
    assert sealed["KeyId"] == made["KeyArn"]
    assert kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=CONTEXT)["Plaintext"] == sealed["Plaintext"]
    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"authserver": "another"})


@pytest.mark.parametrize("name", ["Instance", "Cluster"])
def test_a_database_is_encrypted_kept_private_and_knows_iam(name: str) -> None:
    properties = read("database")["Resources"][name]["Properties"]
    for wanted in ("StorageEncrypted", "EnableIAMDatabaseAuthentication", "ManageMasterUserPassword", "DeletionProtection"):
        assert properties[wanted] is True
    assert properties.get("PubliclyAccessible", False) is False
    assert "MasterUserPassword" not in properties


def test_the_database_is_open_to_the_function_alone() -> None:
    assert "SecurityGroupIngress" not in read("database")["Resources"]["DatabaseSecurityGroup"]["Properties"]
    sources = {name: rule["SourceSecurityGroupId"] for name, rule in resources("database", "AWS::EC2::SecurityGroupIngress").items()}
    assert sources == {
        "DatabaseFromFunction": {"Ref": "FunctionSecurityGroup"},
        "DatabaseFromProxy": {"Ref": "DatabaseSecurityGroup"},
    }


# What stands in front


def test_the_http_api_is_reached_by_its_own_name_alone_and_has_no_stage() -> None:
    (api,) = resources("http-api", "AWS::ApiGatewayV2::Api").values()
    (stage,) = resources("http-api", "AWS::ApiGatewayV2::Stage").values()
    assert api["DisableExecuteApiEndpoint"] is True
    assert "CorsConfiguration" not in api
    assert stage["StageName"] == "$default"
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= stage["DefaultRouteSettings"].keys()


def test_the_access_log_is_json_without_queries_and_headers() -> None:
    (stage,) = resources("http-api", "AWS::ApiGatewayV2::Stage").values()
    line = stage["AccessLogSettings"]["Format"]
    assert "\n" not in line
    assert json.loads(line)["path"] == "$context.path"
    assert not re.search(r"quer|header|authorizer|cookie|responseOverride", line, re.IGNORECASE)


def test_a_load_balancer_keeps_several_cookies_and_listens_to_tls_alone() -> None:
    (target,) = resources("alb", "AWS::ElasticLoadBalancingV2::TargetGroup").values()
    (listener,) = resources("alb", "AWS::ElasticLoadBalancingV2::Listener").values()
    (balancer,) = resources("alb", "AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    assert {"Key": "lambda.multi_value_headers.enabled", "Value": "true"} in target["TargetGroupAttributes"]
    assert {"Key": "routing.http.xff_header_processing.mode", "Value": "append"} in balancer["LoadBalancerAttributes"]
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)


@pytest.mark.parametrize("name", ["http-api", "alb"])
def test_a_function_is_invoked_by_its_front_and_by_nobody_else(name: str) -> None:
    (permission,) = resources(name, "AWS::Lambda::Permission").values()
    assert permission["Principal"] in ("apigateway.amazonaws.com", "elasticloadbalancing.amazonaws.com")
    assert "SourceArn" in permission or permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_cloudfront_tells_the_host_its_secret_and_gives_a_renamed_header_its_name_back() -> None:
    (distribution,) = resources("function-url", "AWS::CloudFront::Distribution").values()
    (origin,) = distribution["DistributionConfig"]["Origins"]
    (function,) = resources("function-url", "AWS::CloudFront::Function").values()
    told = {header["HeaderName"]: header["HeaderValue"] for header in origin["OriginCustomHeaders"]}
    secret = {"Fn::Sub": "{{resolve:secretsmanager:${ProxySecretArn}}}"}
    assert told == {"X-Forwarded-Host": {"Ref": "DomainName"}, SECRET.removeprefix("HTTP_").replace("_", "-").title(): secret}
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    event = {"response": {"headers": {"x-amzn-remapped-www-authenticate": {"value": "Bearer"}, "date": {"value": "now"}}}}
    script = f"{function['FunctionCode']}\nprocess.stdout.write(JSON.stringify(handler({json.dumps(event)})))"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout)["headers"] == {"www-authenticate": {"value": "Bearer"}, "date": {"value": "now"}}


# Your APIs


def test_every_route_of_the_protected_http_api_demands_a_scope() -> None:
    routes = resources("protected-http-api", "AWS::ApiGatewayV2::Route").values()
    assert [(route["AuthorizationType"], bool(route["AuthorizationScopes"])) for route in routes] == [("JWT", True)] * 2


def test_the_authorizer_of_the_protected_rest_api_starts_with_its_settings() -> None:
    (function,) = resources("protected-rest-api", "AWS::Lambda::Function").values()
    variables = function["Environment"]["Variables"]
    given = {"AUTHORIZER_ISSUER": "https://login.example.com", "AUTHORIZER_AUDIENCE": "https://orders.example.com"}
    settings = read_settings({**variables, **given})
    assert settings.cached_by_route
    (authorizer,) = resources("protected-rest-api", "AWS::ApiGateway::Authorizer").values()
    assert authorizer["IdentitySource"].split(", ") == ["method.request.header.Authorization", "context.httpMethod", "context.resourcePath"]


def test_the_authorizer_knows_every_route_of_the_protected_rest_api() -> None:
    (function,) = resources("protected-rest-api", "AWS::Lambda::Function").values()
    template = read("protected-rest-api")["Resources"]
    methods = resources("protected-rest-api", "AWS::ApiGateway::Method")
    protected = {
        f"{method['HttpMethod']} /{template[method['ResourceId']['Ref']]['Properties']['PathPart']}"
        for method in methods.values()
        if method["AuthorizationType"] != "NONE"
    }
    assert json.loads(function["Environment"]["Variables"]["AUTHORIZER_ROUTES"]).keys() == protected
    assert [name for name, method in methods.items() if method["AuthorizationType"] == "NONE"] == ["Preflight"]


@pytest.mark.spec("RFC 6750", "3")
@pytest.mark.parametrize(
    ("kind", "status", "error"), [("UNAUTHORIZED", "401", "invalid_token"), ("ACCESS_DENIED", "403", "insufficient_scope")]
)
def test_a_refusal_of_the_protected_rest_api_says_so_in_its_header(kind: str, status: str, error: str) -> None:
    responses = resources("protected-rest-api", "AWS::ApiGateway::GatewayResponse").values()
    (response,) = [item for item in responses if item["ResponseType"] == kind]
    parameters = response["ResponseParameters"]
    assert response["StatusCode"] == status
    assert parameters["gatewayresponse.header.WWW-Authenticate"] == f"'Bearer error=\"{error}\"'"
    assert "gatewayresponse.header.Access-Control-Allow-Origin" in parameters


# Alarms


def alarms() -> dict[str, dict[str, Any]]:
    return resources("alarms", "AWS::CloudWatch::Alarm")


def watched() -> set[str]:
    """Names of metrics of ours that an alarm looks at."""
    direct = {alarm["MetricName"] for alarm in alarms().values() if alarm.get("Namespace") == NAMESPACE}
    return direct | {metric["MetricName"] for name, metric in members(alarms()) if name == "Metric" and metric["Namespace"] == NAMESPACE}


def test_every_metric_that_the_server_writes_has_an_alarm() -> None:
    assert watched() | OF_USE_AND_NO_ALARM == {*COUNTS, AGE, LAG}


def test_the_guide_has_every_alarm_by_its_name() -> None:
    guide = (FOLDER.parent.parent / "docs" / "lambda.md").read_text().partition("\n## Alarms")[2].partition("\n## ")[0]
    for alarm in alarms().values():
        assert f"`{alarm['AlarmName']['Fn::Sub'].removeprefix('${FunctionName}-')}`" in guide


def test_an_alarm_tells_somebody_what_to_do() -> None:
    for name, alarm in alarms().items():
        assert len(alarm["AlarmDescription"]) > 100, name
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Topic"}]
        assert alarm["TreatMissingData"] in ("notBreaching", "breaching", "ignore")


def test_silence_of_the_janitor_is_an_alarm() -> None:
    assert [name for name, alarm in alarms().items() if alarm["TreatMissingData"] == "breaching"] == ["JanitorIsLate"]


def test_a_signing_key_may_be_a_day_older_than_its_lifetime() -> None:
    lifetime = Settings(issuer="https://login.example.com").signing_key_lifetime
    assert read("alarms")["Parameters"]["SigningKeyAgeSeconds"]["Default"] == (lifetime + timedelta(days=1)).total_seconds()


def test_the_janitor_may_miss_two_rounds() -> None:
    lag = timedelta(seconds=read("alarms")["Parameters"]["JanitorLagSeconds"]["Default"])
    assert lag == 3 * schedules("production")["authserver.jobs.janitor"]


def test_containers_raise_an_alarm_before_their_limit_is_reached() -> None:
    assert read("alarms")["Parameters"]["Concurrency"]["Default"] < stage("production")["lambda_concurrency"]


def test_templates_and_settings_agree_about_the_names() -> None:
    name = f"{stage('production')['project_name']}-production"
    defaults = {path.stem: read(path.stem)["Parameters"].get("FunctionName", {}).get("Default", name) for path in TEMPLATES}
    ours = {key: value for key, value in defaults.items() if not key.startswith("protected-")}
    assert set(ours.values()) == {name}
    assert stage("production")["role_name"] == read("function-role")["Parameters"]["RoleName"]["Default"]


def test_the_dashboard_shows_what_the_server_writes(moto: MotoServer) -> None:
    deploy(moto, "alarms", "watching", FunctionName="watching", WithDashboard="true", Email="operators@example.com")
    body = json.loads(moto.client("cloudwatch").get_dashboard(DashboardName="watching")["DashboardBody"])
    ours = re.findall(r'"([A-Z]\w+)", "(?:service|\.)"', json.dumps(body))
    assert {"SignInsSucceeded", "TokensIssued", LAG} <= set(ours)
    assert set(ours) - {*COUNTS, AGE, LAG} <= {"Throttles", "Errors"}


def test_alarms_go_to_whoever_is_named(moto: MotoServer) -> None:
    made = deploy(moto, "alarms", "telling", FunctionName="telling", Email="operators@example.com")
    (subscription,) = moto.client("sns").list_subscriptions_by_topic(TopicArn=made["TopicArn"])["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "operators@example.com")
