"""The events that API Gateway sends to an authorizer, in every shape, as its developer guide shows them."""

from typing import Any

API = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"
STAGE = f"{API}/live"
IDENTITY = {"sourceIp": "203.0.113.7", "userAgent": "curl/8", "accountId": None, "cognitoIdentityId": None}
Event = dict[str, Any]


def rest_token(authorization: str, method: str = "GET", path: str = "/orders/17", **_: str) -> Event:
    """REST API, authorizer of type TOKEN."""
    return {"type": "TOKEN", "methodArn": f"{STAGE}/{method}{path}", "authorizationToken": authorization}


def rest_request(authorization: str, method: str = "GET", path: str = "/orders/17", route: str = "/orders/{id}") -> Event:
    """REST API, authorizer of type REQUEST."""
    return {
        "type": "REQUEST",
        "methodArn": f"{STAGE}/{method}{path}",
        "resource": route,
        "path": path,
        "httpMethod": method,
        "headers": {"Accept": "*/*", "Authorization": authorization, "X-Forwarded-For": "203.0.113.7"},
        "multiValueHeaders": {"Accept": ["*/*"], "Authorization": [authorization], "X-Forwarded-For": ["203.0.113.7"]},
        "queryStringParameters": {"a": "1"},
        "multiValueQueryStringParameters": {"a": ["1"]},
        "pathParameters": {"id": "17"},
        "stageVariables": {},
        "requestContext": {"resourceId": "abc", "resourcePath": route, "httpMethod": method, "stage": "live", "identity": IDENTITY},
    }


def http_1(authorization: str, method: str = "GET", path: str = "/orders/17", route: str = "/orders/{id}") -> Event:
    """HTTP API, payload format 1.0."""
    event = rest_request(authorization, method, path, route)
    return {"version": "1.0", **event, "identitySource": authorization, "authorizationToken": authorization}


def http_2(authorization: str, method: str = "GET", path: str = "/orders/17", route: str = "/orders/{id}") -> Event:
    """HTTP API, payload format 2.0."""
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"{STAGE}/{method}{path}",
        "identitySource": [authorization],
        "routeKey": route if route.startswith("$") else f"ANY {route}",
        "rawPath": path,
        "rawQueryString": "a=1",
        "cookies": ["theme=dark"],
        "headers": {"accept": "*/*", "authorization": authorization, "x-forwarded-for": "203.0.113.7"},
        "queryStringParameters": {"a": "1"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "api.example.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "curl/8"},
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": f"ANY {route}",
            "stage": "live",
        },
        "pathParameters": {"id": "17"},
        "stageVariables": {},
    }


def websocket(authorization: str, **_: str) -> Event:
    """WebSocket API, $connect."""
    return {
        "type": "REQUEST",
        "methodArn": f"{STAGE}/$connect",
        "headers": {"Authorization": authorization, "Sec-WebSocket-Version": "13"},
        "multiValueHeaders": {"Authorization": [authorization], "Sec-WebSocket-Version": ["13"]},
        "queryStringParameters": {},
        "multiValueQueryStringParameters": {},
        "stageVariables": {},
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "connectionId": "L0SM9cOFvHcCIhw=",
            "messageDirection": "IN",
            "stage": "live",
            "identity": IDENTITY,
        },
    }


SHAPES = {"REST TOKEN": rest_token, "REST REQUEST": rest_request, "HTTP 1.0": http_1, "HTTP 2.0": http_2, "WebSocket": websocket}
RAISING = ("REST TOKEN", "REST REQUEST", "WebSocket")
