"""Cognito on loopback: a user pool in moto, and a server that answers as it is told where moto cannot."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.aws_server import MotoServer

PASSWORD = "Old-Password-1 of Cognito's"
CUSTOM = [{"Name": "team", "AttributeDataType": "String", "Mutable": True}]


class Pool:
    """A user pool whose people sign in by email, and a client of it."""

    def __init__(self, moto: MotoServer, *, secret: bool = False, by_email: bool = True) -> None:
        self.aws = moto.client("cognito-idp")
        names = {"UsernameAttributes": ["email"]} if by_email else {}
        self.id: str = self.aws.create_user_pool(PoolName="people", Schema=CUSTOM, **names)["UserPool"]["Id"]
        flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        made = self.aws.create_user_pool_client(UserPoolId=self.id, ClientName="authserver", ExplicitAuthFlows=flows, GenerateSecret=secret)
        self.client_id: str = made["UserPoolClient"]["ClientId"]
        self.client_secret: str = made["UserPoolClient"].get("ClientSecret", "")

    def settings(self, **changes: Any) -> dict[str, Any]:
        own = {"cognito_user_pool": self.id, "cognito_client_id": self.client_id, "cognito_client_secret": self.client_secret}
        return {**own, "cognito_until": "2030-12-31", **changes}

    def add(self, email: str, *, password: str | None = PASSWORD, groups: tuple[str, ...] = (), **attributes: str) -> str:
        """Add a person; return their sub. Without a password of their own they have a temporary one."""
        listed = [{"Name": name.replace("__", ":"), "Value": text} for name, text in {"email": email, **attributes}.items()]
        user = self.aws.admin_create_user(UserPoolId=self.id, Username=email, UserAttributes=listed, TemporaryPassword=PASSWORD)["User"]
        if password is not None:
            self.aws.admin_set_user_password(UserPoolId=self.id, Username=user["Username"], Password=password, Permanent=True)
        for group in groups:
            self._put_into(group, user["Username"])
        return next(item["Value"] for item in user["Attributes"] if item["Name"] == "sub")

    def listed(self) -> dict[str, Any]:
        """What `aws cognito-idp list-users` writes."""
        answer = self.aws.list_users(UserPoolId=self.id)
        return json.loads(json.dumps({"Users": answer["Users"]}, default=str))

    def _put_into(self, group: str, name: str) -> None:
        try:
            self.aws.create_group(UserPoolId=self.id, GroupName=group)
        except self.aws.exceptions.GroupExistsException:
            pass
        self.aws.admin_add_user_to_group(UserPoolId=self.id, Username=name, GroupName=group)


def access_token(subject: str) -> str:
    """What Cognito gives for the right password: it says whose that is."""
    header, claims = (urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "RS256"}, {"sub": subject}))
    return f"{header}.{claims}.c2ln"


class Told:
    """A Cognito that answers each action as it is told; what it was asked is in `asked`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, Callable[[dict[str, Any]], tuple[int, Any]]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def answer(self, action: str, document: Any, status: int = 200) -> None:
        self.answers[action] = lambda _body: (status, document)

    def refuse(self, code: str, action: str = "AdminInitiateAuth", status: int = 400) -> None:
        self.answer(action, {"__type": code, "message": "a text that nobody is to see"}, status)

    def knows(self, subject: str, email: str, *, enabled: bool = True, **attributes: str) -> None:
        """Take every password as the one of this person."""
        named = {"sub": subject, "email": email, **attributes}
        listed = [{"Name": name.replace("__", ":"), "Value": text} for name, text in named.items()]
        self.answer("AdminInitiateAuth", {"AuthenticationResult": {"AccessToken": access_token(subject)}})
        self.answer("AdminGetUser", {"Username": subject, "UserAttributes": listed, "Enabled": enabled})
        self.answer("AdminListGroupsForUser", {"Groups": []})

    def actions(self) -> list[str]:
        return [action for action, _ in self.asked]


@contextmanager
def told(patch: pytest.MonkeyPatch) -> Iterator[Told]:
    """Serve for as long as the block lasts, as the Cognito of this process."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            action = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known.asked.append((action, body))
            status, document = known.answers[action](body)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Told(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    patch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", known.url)
    yield known
    server.shutdown()
    server.server_close()
