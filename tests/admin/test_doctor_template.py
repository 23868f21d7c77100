"""Templates that name the server to AWS: what API Gateway, IAM and others would refuse is said before it is deployed."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authserver.admin.doctor.catalogue import examine_configuration
from authserver.admin.doctor.finding import examine
from authserver.admin.doctor.template import read_template
from authserver.admin.doctor.template_checks import TEMPLATES, Named
from authserver.admin.errors import Invalid
from authserver.runtime import Runtime
from tests.admin.doctored import problems, skips
from tests.factories import ISSUER, make_client, make_resource_server

SERVERLESS = """
    service: orders
    custom:
      issuer: https://login.example.com
    provider:
      name: aws
      httpApi:
        authorizers:
          mine:
            type: jwt
            identitySource: $request.header.Authorization
            issuerUrl: https://login.example.com
            audience: [https://api.example.com]
    functions:
      list:
        handler: handler.list
        events:
          - httpApi: {method: GET, path: /orders, authorizer: {name: mine, scopes: [read]}}
"""
CLOUDFORMATION = """
    Parameters:
      Issuer: {Type: String, Default: https://login.example.com}
      Domain: {Type: String}
    Resources:
      Authorizer:
        Type: AWS::ApiGatewayV2::Authorizer
        Properties:
          ApiId: !Ref HttpApi
          AuthorizerType: JWT
          JwtConfiguration:
            Issuer: !Ref Issuer
            Audience: [https://api.example.com]
      Route:
        Type: AWS::ApiGatewayV2::Route
        Properties:
          AuthorizationType: JWT
          AuthorizationScopes: [read]
          Target: !Sub "integrations/${Integration}"
      Provider:
        Type: AWS::IAM::OIDCProvider
        Properties:
          Url: https://login.example.com
          ClientIdList: [shop]
      Function:
        Type: AWS::Lambda::Function
        Properties:
          Environment:
            Variables:
              AUTHORIZER_ISSUER: https://login.example.com
              AUTHORIZER_AUDIENCE: https://api.example.com https://login.example.com
"""
SAM = """
    Resources:
      Api:
        Type: AWS::Serverless::HttpApi
        Properties:
          Auth:
            Authorizers:
              Mine:
                JwtConfiguration:
                  issuer: https://login.example.com
                  audience: [https://api.example.com]
      Function:
        Type: AWS::Serverless::Function
        Properties:
          Events:
            Get: {Type: HttpApi, Properties: {Path: /, Method: GET, Auth: {Authorizer: Mine, AuthorizationScopes: [read]}}}
"""

OTHERS = """
    Resources:
      Rule:
        Type: AWS::ElasticLoadBalancingV2::ListenerRule
        Properties:
          Actions:
            - Type: authenticate-oidc
              AuthenticateOidcConfig:
                Issuer: https://login.example.com
                AuthorizationEndpoint: https://login.example.com/oauth2/authorize
                TokenEndpoint: https://login.example.com/oauth2/token
                UserInfoEndpoint: https://login.example.com/oidc/userinfo
                ClientId: shop
                ClientSecret: "{{resolve:secretsmanager:balancer}}"
      Graph:
        Type: AWS::AppSync::GraphQLApi
        Properties:
          OpenIDConnectConfig: {Issuer: https://login.example.com, ClientId: "shop|(web-[0-9]+)"}
"""


@pytest.fixture
def look(runtime: Runtime, tmp_path: Path) -> Callable[..., Any]:
    """Look at a template beside a server with one API and one client."""
    make_resource_server(runtime)
    make_client(runtime, "web", client_id="shop")

    def read(text: str, old: str = "", new: str = "", *, outside: bool = False) -> Any:
        assert old in text
        file = tmp_path / "serverless.yml"
        file.write_text(textwrap.dedent(text.replace(old, new)))
        template = read_template(file)
        if outside:
            return examine(ISSUER, (TEMPLATES, Named(template, ISSUER, None)))
        return examine_configuration(runtime, templates=[template])

    return read


def of_template(found: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in found.items() if name.startswith("template.")}


@pytest.mark.parametrize("text", [SERVERLESS, CLOUDFORMATION, SAM, OTHERS], ids=["serverless", "cloudformation", "sam", "others"])
def test_a_template_that_names_the_server_rightly_has_no_problem(look, text):
    report = look(text)
    assert of_template(problems(report)) == {}
    assert of_template(skips(report)) == {}
    assert {check.id for check in TEMPLATES.checks} <= {finding.id for finding in report.findings}


URL, SLASHED = "issuerUrl: https://login.example.com", "issuerUrl: https://login.example.com/"
DEFAULT, OIDC, VARIABLE = (f"{name}: https://login.example.com" for name in ("Default", "Url", "AUTHORIZER_ISSUER"))
ELSEWHERE = SERVERLESS.replace(" issuer: https://login.example.com", " issuer: https://login.example.com/")
BY_JSON = CLOUDFORMATION.replace("!Ref Issuer", '{"Ref": "Issuer"}')
APIS, DOCUMENT = "[https://api.example.com]", "/.well-known/openid-configuration"
BROKEN = (
    ("template.issuer", "authorizers.mine.issuerUrl: 'https://login.example.com/' is not", SERVERLESS, URL, SLASHED),
    ("template.issuer", "a slash at the end; it is compared with iss", SERVERLESS, URL, SLASHED),
    ("template.issuer", "scheme http instead of https", SERVERLESS, "issuerUrl: https", "issuerUrl: http"),
    ("template.issuer", "well-known/openid-configuration' is not", SERVERLESS, URL, URL + DOCUMENT),
    ("template.issuer", "ends with a slash, which no issuer", SERVERLESS, URL, "issuerUrl: https://${param:domain}/"),
    ("template.issuer", "issuerUrl: 'https://login.example.com/' is not", ELSEWHERE, URL, "issuerUrl: ${self:custom.issuer}"),
    ("template.issuer", "JwtConfiguration.Issuer: 'https://login.example.com/'", CLOUDFORMATION, DEFAULT, f"{DEFAULT}/"),
    ("template.issuer", "JwtConfiguration.Issuer: 'https://login.example.com/'", BY_JSON, DEFAULT, f"{DEFAULT}/"),
    ("template.issuer", "Provider.Properties.Url: 'https://login.example.com/'", CLOUDFORMATION, OIDC, f"{OIDC}/"),
    ("template.issuer", "AUTHORIZER_ISSUER: 'https://login.example.com/'", CLOUDFORMATION, VARIABLE, f"{VARIABLE}/"),
    ("template.issuer", ", but it names 'https://other.example.com'", SERVERLESS, URL, "issuerUrl: https://other.example.com"),
    ("template.audience", "did you mean https://api.example.com?", SERVERLESS, APIS, "[https://api.example.com/]"),
    ("template.audience", "it is a client id, which aud never is", SERVERLESS, APIS, "[shop]"),
    ("template.audience", "by the audience 'orders'", CLOUDFORMATION, "AUTHORIZER_AUDIENCE: https", "AUTHORIZER_AUDIENCE: orders https"),
    ("template.scopes", "functions.list.events.0 demands no scope", SERVERLESS, ", scopes: [read]", ""),
    ("template.scopes", "functions.list.events.0 demands no scope", SERVERLESS, "{name: mine, scopes: [read]}", "mine"),
    ("template.scopes", "Resources.Route.Properties demands", CLOUDFORMATION, "AuthorizationScopes: [read]", "RouteKey: GET /"),
    ("template.scopes", "Properties.Auth demands no scope", SAM, ", AuthorizationScopes: [read]", ""),
    ("template.client_ids", "no client 'gone' is registered", CLOUDFORMATION, "[shop]", "[shop, gone]"),
    ("template.client_ids", "no client 'gone' is registered", OTHERS, "ClientId: shop", "ClientId: gone"),
)


@pytest.mark.parametrize(("name", "expected", "text", "old", "new"), BROKEN)
def test_what_is_wrong_in_a_template_is_found_and_nothing_else(look, name, expected, text, old, new):
    found = of_template(problems(look(text, old, new)))
    assert expected in found[name]
    assert set(found) == {name}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"signing_alg": "ES256"}, "signed by ES256, which it refuses"), ({"token_format": "opaque"}, "are opaque")],
)
def test_an_api_whose_tokens_a_jwt_authorizer_refuses_is_an_error_and_by_the_lambda_authorizer_none(look, runtime, changes, expected):
    make_resource_server(runtime, "https://other.example.com", **changes)
    found = of_template(problems(look(SERVERLESS, "[https://api.example.com]", "[https://other.example.com]")))
    assert set(found) == {"template.algorithm"}
    assert expected in found["template.algorithm"]
    assert of_template(problems(look(CLOUDFORMATION, "AUTHORIZER_AUDIENCE: ", "AUTHORIZER_AUDIENCE: https://other.example.com "))) == {}


def test_from_outside_only_what_the_database_knows_is_left_out(look):
    report = look(SERVERLESS, URL, SLASHED, outside=True)
    assert set(problems(report)) == {"template.issuer"}
    assert set(skips(report)) == {"template.audience", "template.algorithm"}
    assert problems(look(CLOUDFORMATION, "[shop]", "[gone]", outside=True)) == {}


@pytest.mark.parametrize("value", ["!Sub https://${Domain}", "{'Fn::Sub': '${Domain}'}", "!Ref Domain", "!GetAtt [A, B]", "!Join {a: b}"])
def test_what_only_cloudformation_knows_is_left_out(look, value):
    report = look(CLOUDFORMATION, "!Ref Issuer", value)
    assert of_template(problems(report)) == {}
    assert "JwtConfiguration.Issuer is known to CloudFormation alone" in skips(report)["template.issuer"]


def test_what_only_the_serverless_framework_knows_is_left_out(look):
    report = look(SERVERLESS, URL, "issuerUrl: ${env:ISSUER}")
    assert "'${env:ISSUER}', which is known only when it is deployed" in skips(report)["template.issuer"]
    report = look(SERVERLESS, "[https://api.example.com]", "'${self:custom.nothing}'")
    assert of_template(problems(report)) == {}


def test_routes_with_other_authorizers_are_passed_over(look):
    text = SERVERLESS.replace("{name: mine, scopes: [read]}", "{type: aws_iam}") + "      # none\n"
    assert of_template(problems(look(text))) == {}
    assert of_template(problems(look(SERVERLESS, "{name: mine, scopes: [read]}", "another"))) == {}


def test_a_file_that_refers_to_itself_ends(look):
    report = look("a: &a {b: *a, issuerUrl: https://login.example.com}")
    assert of_template(problems(report)) == {}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe\xff", "is not YAML"),
        (b"a: [", "is not YAML or JSON"),
        (b"? [a, {b: c}]\n: d", "is not YAML or JSON"),
        (b"a: !!python/object:os.system {}", "is not YAML or JSON"),
        (b"[" * 600, "is not YAML or JSON"),
        (b" " * 3_000_000, "at most 2 MB"),
    ],
)
def test_a_file_that_is_no_template_is_refused_by_its_name(tmp_path, content, expected):
    file = tmp_path / "template.yml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Invalid, match=expected):
        read_template(file)


def test_a_file_of_anything_else_says_that_nothing_names_the_server(look):
    for text in ("", "just text", "- 1\n- 2"):
        assert set(of_template(problems(look(text)))) == {"template.issuer"}
