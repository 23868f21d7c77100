"""What an application sees of a request that came as an event of AWS, in every shape."""

from urllib.parse import parse_qsl

import pytest

from authserver.web.gateway import answer
from authserver.web.gateway_request import CERTIFICATE
from authserver.web.mount import mounted
from tests.factories import make_settings
from tests.web.events import (
    API,
    CALLER,
    DOMAIN,
    EVERY,
    SEVERAL,
    SHAPES,
    Application,
    alb,
    alb_single,
    http_1,
    http_2,
    read_answer,
    rest,
    url,
)

JSON = ("Content-Type", "application/json")


def seen(event):
    application = Application()
    assert read_answer(answer(application, event))[0] == 200
    return application.environ


@EVERY
def test_method_path_body_and_headers_arrive(shape):
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("User-Agent", "curl/8"), ("Host", DOMAIN)]
    environ = seen(shape("POST", "/oauth2/token", headers, "grant_type=x&ü=1".encode()))
    assert (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["SCRIPT_NAME"]) == ("POST", "/oauth2/token", "")
    assert environ["wsgi.input"].read() == "grant_type=x&ü=1".encode()
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("application/x-www-form-urlencoded", "17")
    assert (environ["HTTP_USER_AGENT"], environ["HTTP_HOST"], environ["wsgi.url_scheme"]) == ("curl/8", DOMAIN, "https")


QUERY = "a=1&scope=openid%20x&plus=%2B&twice=%252F&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fx%3D1%26y&empty=&%C3%BC=%C3%A9"


@EVERY
def test_a_query_arrives_as_it_was_sent(shape):
    environ = seen(shape("GET", f"/oauth2/authorize?{QUERY}"))
    assert environ["QUERY_STRING"].isascii()
    assert parse_qsl(environ["QUERY_STRING"], keep_blank_values=True) == parse_qsl(QUERY, keep_blank_values=True)


@pytest.mark.parametrize("shape", [http_2, url, alb, alb_single])
def test_a_query_that_the_gateway_does_not_decode_is_the_same_to_the_byte(shape):
    sent = QUERY + "&b=c+d&e=%2b"
    assert seen(shape("GET", f"/?{sent}"))["QUERY_STRING"] == sent


@SEVERAL
def test_a_parameter_that_is_repeated_arrives_as_often(shape):
    environ = seen(shape("GET", "/?resource=https%3A%2F%2Fa&resource=https%3A%2F%2Fb%2Bc&x="))
    assert parse_qsl(environ["QUERY_STRING"], keep_blank_values=True) == [("resource", "https://a"), ("resource", "https://b+c"), ("x", "")]


@pytest.mark.parametrize(
    ("shape", "sent", "inner"),
    [
        *((shape, "/a%2Fb", "/a/b") for shape in SHAPES.values()),
        *((shape, "/caf%C3%A9%20x", "/cafÃ© x") for shape in SHAPES.values()),
        *((shape, "/a%252Fb", "/a%2Fb") for shape in SHAPES.values()),
        (rest, "/a%zz%", "/a%zz%"),
    ],
)
def test_a_path_is_decoded_once(shape, sent, inner):
    assert seen(shape("GET", sent))["PATH_INFO"] == inner


@pytest.mark.parametrize(
    ("event", "inner"),
    [
        (rest("GET", "/device_authorization", stage="dev"), "/device_authorization"),
        (http_1("GET", "/device_authorization", stage="dev"), "/device_authorization"),
        (http_2("GET", "/device_authorization", stage="dev"), "/device_authorization"),
        (http_2("GET", "/dev", stage="dev"), "/dev"),
        (http_2("GET", "/oauth2/token", stage="oauth2"), "/oauth2/token"),
        (http_2("GET", "/oauth2/token", stage="oauth2", domain=DOMAIN), "/oauth2/token"),
        (http_2("GET", "/oauth2/token", stage="$default"), "/oauth2/token"),
        (http_2("GET", "", stage="dev"), "/"),
        (http_2("GET", "/", stage="dev"), "/"),
        ({**http_2("GET", "/x"), "rawPath": "/lively"}, "/lively"),
        ({**http_2("GET", "/x"), "rawPath": ""}, "/"),
        (rest("GET", "/oauth2/token", domain=DOMAIN, base="/auth"), "/oauth2/token"),
        (rest("GET", "/auth/auth/", domain=DOMAIN, base="/auth"), "/auth/auth/"),
        (rest("GET", "/", domain=DOMAIN, base="/auth"), "/"),
        ({**http_2("GET", "/a", domain=DOMAIN, base="/auth"), "routeKey": "ANY /{proxy+}", "pathParameters": {"proxy": "a"}}, "/a"),
        ({**rest("GET", "/a"), "pathParameters": {"proxy": "b"}}, "/a"),
        ({**rest("GET", "/a"), "pathParameters": {"proxy": None}}, "/a"),
    ],
)
def test_stage_and_base_path_are_cut_off_as_whole_segments(event, inner):
    assert seen(event)["PATH_INFO"] == inner


@pytest.mark.parametrize(
    ("issuer", "event"),
    [
        (f"https://{API}/dev", rest("GET", "/oauth2/token", stage="dev")),
        (f"https://{API}/dev", http_1("GET", "/oauth2/token", stage="dev")),
        (f"https://{API}/dev", http_2("GET", "/oauth2/token", stage="dev")),
        ("https://login.example.com/auth", rest("GET", "/oauth2/token", domain=DOMAIN, base="/auth")),
        ("https://login.example.com/auth", http_1("GET", "/oauth2/token", domain=DOMAIN, base="/auth")),
        ("https://login.example.com/auth", http_2("GET", "/oauth2/token", domain=DOMAIN, base="/auth")),
        ("https://login.example.com/auth", alb("GET", "/auth/oauth2/token")),
        ("https://login.example.com/auth", url("GET", "/auth/oauth2/token")),
    ],
)
def test_an_issuer_with_a_stage_or_base_path_is_found(issuer, event):
    application = Application()
    answer(mounted(application, make_settings(issuer=issuer)), event)
    assert (application.environ["SCRIPT_NAME"], application.environ["PATH_INFO"]) == ("/" + issuer.rpartition("/")[2], "/oauth2/token")


def behind(hops, event):
    application = Application()
    answer(mounted(application, make_settings(trusted_proxies=hops)), event)
    return application.environ["REMOTE_ADDR"]


@pytest.mark.spec("RFC 9700", "4.13")
@EVERY
def test_the_address_is_the_callers_whatever_a_header_says(shape):
    headers = [
        ("X-Forwarded-For", "6.6.6.6, 7.7.7.7"),
        ("X_Forwarded_For", "6.6.6.6"),
        ("X-Real-Ip", "6.6.6.6"),
        ("Forwarded", "for=6.6.6.6"),
    ]
    assert [behind(0, shape("GET", "/", headers)), behind(0, shape("GET", "/"))] == [CALLER, CALLER]
    assert behind(1, shape("GET", "/")) == CALLER


@pytest.mark.parametrize("shape", [rest, http_1, http_2, alb, alb_single])
def test_trusted_proxies_are_those_in_front_of_the_gateway(shape):
    event = shape("GET", "/", [("X-Forwarded-For", "6.6.6.6, 198.51.100.9")])
    assert (behind(1, event), behind(2, event), behind(3, event)) == ("198.51.100.9", "6.6.6.6", CALLER)


def test_behind_a_function_url_cloudfront_alone_says_who_called_it():
    spoofed = [("X-Forwarded-For", "6.6.6.6, 198.51.100.9")]
    assert behind(1, url("GET", "/", spoofed)) == CALLER
    assert behind(1, url("GET", "/", [*spoofed, ("CloudFront-Viewer-Address", "198.51.100.9:443")])) == "198.51.100.9"
    assert behind(1, url("GET", "/", [*spoofed, ("CloudFront-Viewer-Address", "2001:db8::7:443")])) == "2001:db8::7"
    assert behind(0, url("GET", "/", [*spoofed, ("CloudFront-Viewer-Address", "198.51.100.9:443")])) == CALLER


def test_the_cloudfront_of_an_edge_optimized_api_is_no_proxy_of_the_operators():
    event = rest("GET", "/")
    event["multiValueHeaders"]["X-Forwarded-For"] = [f"198.51.100.9, {CALLER}, 130.176.0.1"]
    assert (behind(0, event), behind(1, event)) == (CALLER, "198.51.100.9")


@pytest.mark.parametrize(
    ("entry", "address"),
    [("198.51.100.9:4711", "198.51.100.9"), ("[2001:db8::7]:4711", "2001:db8::7"), ("2001:db8::7", "2001:db8::7"), ("unknown", "")],
)
def test_a_load_balancer_may_write_a_port_beside_the_address(entry, address):
    event = alb("GET", "/")
    event["multiValueHeaders"]["x-forwarded-for"] = [f"6.6.6.6, {entry}"]
    assert behind(0, event) == address


@pytest.mark.spec("RFC 8705", "3")
def test_a_clients_certificate_comes_from_the_gateway_alone():
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    one, two = rest("GET", "/"), http_2("GET", "/")
    one["requestContext"]["identity"]["clientCert"] = {"clientCertPem": pem}
    two["requestContext"]["authentication"] = {"clientCert": {"clientCertPem": pem}}
    assert [seen(event)[CERTIFICATE] for event in (one, two)] == [pem, pem]
    forged = [("X-Client-Cert", "forged"), ("authserver.client-certificate", "x"), ("authserver.client_certificate", "x")]
    balanced = {
        **alb("GET", "/", [*forged, ("X-Amzn-Mtls-Clientcert", "forged")]),
        "requestContext": {"elb": {}, "identity": one["requestContext"]["identity"]},
    }
    assert not any(
        CERTIFICATE in seen(event) for event in (rest("GET", "/", forged), http_2("GET", "/", forged), url("GET", "/", forged), balanced)
    )


@SEVERAL
def test_cookies_of_several_headers_are_one_list(shape):
    assert seen(shape("GET", "/", [("Cookie", "a=1; b=2"), ("cookie", "c=3")]))["HTTP_COOKIE"] == "a=1; b=2; c=3"


def test_a_cookie_header_serves_where_there_is_no_list_of_cookies():
    event = {**http_2("GET", "/"), "headers": {"cookie": "a=1"}}
    assert seen(event)["HTTP_COOKIE"] == "a=1"
    assert seen({**event, "cookies": ["a=1", None, "b=2"]})["HTTP_COOKIE"] == "a=1; b=2"


@pytest.mark.spec("RFC 9110", "5.3")
@pytest.mark.parametrize("shape", [rest, http_1, http_2, url, alb])
def test_a_header_that_is_repeated_in_any_case_is_joined(shape):
    environ = seen(
        shape("GET", "/", [("Authorization", "Basic YQ=="), ("authorization", "Bearer x"), JSON, ("content-type", "text/plain")])
    )
    assert environ["HTTP_AUTHORIZATION"].replace(" ", "") == "BasicYQ==,Bearerx"
    assert environ["CONTENT_TYPE"] == "application/json,text/plain"


@EVERY
def test_what_is_no_header_is_left_out(shape):
    headers = [
        ("X_Forwarded_Host", "evil"),
        ("Authori_zation", "x"),
        ("Trans\u017fer", "x"),
        ("a b", "x"),
        ("", "x"),
        ("Content-Length", "99999"),
    ]
    environ = seen(shape("POST", "/", headers, b"abc"))
    assert {name for name in environ if name.startswith("HTTP_")} <= {"HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR"}
    assert environ["CONTENT_LENGTH"] == "3"


def test_values_that_are_no_texts_are_left_out():
    event = {**rest("GET", "/"), "multiValueHeaders": None, "headers": {"A": None, "B": 1, "C": "c", "D": ["d", None], "E": {}}}
    assert {name: value for name, value in seen(event).items() if name.startswith("HTTP_")} == {"HTTP_C": "c", "HTTP_D": "d"}
    assert seen({**rest("GET", "/"), "multiValueQueryStringParameters": {"a": [None, "1", 2], "b": None}})["QUERY_STRING"] == "a=1"


def test_text_beyond_ascii_arrives_as_its_bytes():
    environ = seen(http_2("GET", "/", [("User-Agent", "Zoë €")]) | {"rawQueryString": "q=Zoë \x00\ud800"})
    assert environ["HTTP_USER_AGENT"].encode("latin-1").decode() == "Zoë €"
    assert environ["QUERY_STRING"] == "q=Zo%C3%AB%20%00?"


def test_an_event_of_the_consoles_test_button_is_a_request_of_nobody():
    context = {"stage": "test-invoke-stage", "identity": {"sourceIp": "test-invoke-source-ip"}}
    nothing = dict.fromkeys(("headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "body"))
    environ = seen({"resource": "/", "path": "/", "httpMethod": "GET", **nothing, "requestContext": context, "isBase64Encoded": False})
    assert (environ["REMOTE_ADDR"], environ["PATH_INFO"], "HTTP_HOST" in environ) == ("", "/", False)


@pytest.mark.parametrize(
    "change",
    [
        {"body": "no base64!", "isBase64Encoded": True},
        {"body": "YQ", "isBase64Encoded": True},
        {"body": 7},
        {"body": "a", "isBase64Encoded": "false"},
        {"body": "\ud800", "isBase64Encoded": False},
        {"httpMethod": None},
        {"httpMethod": "GET /"},
        {"path": None},
        {"path": "x"},
        {"multiValueHeaders": {"A": ["b\r\nC: d"]}},
        {"multiValueHeaders": {"A": ["b\0"]}},
    ],
)
def test_what_no_gateway_sends_is_refused(change):
    application = Application()
    status, _headers, body = read_answer(answer(application, {**rest("POST", "/"), **change}))
    assert (status, application.environ) == (400, {})
    assert b"invalid_request" in body
