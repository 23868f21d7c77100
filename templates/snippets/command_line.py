"""Sign in from a program on the user's machine, in the user's browser (RFC 8252). Standard library only."""

import base64
import hashlib
import http.server
import json
import secrets
import urllib.parse
import urllib.request
import webbrowser

ISSUER = {{js issuer}}
CLIENT_ID = {{js client_id}}
ASKED = {"scope": {{js scope}}}
ASKED["resource"] = {{js resource}}
HOST, PATH = {{js loopback_host}}, {{js loopback_path}}


class Callback(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == PATH:
            self.server.answer = dict(urllib.parse.parse_qsl(url.query))
        self.send_response(200 if url.path == PATH else 404)
        self.end_headers()
        self.wfile.write(b"You can close this window.")

    def log_message(self, *_):
        pass


def sign_in() -> dict:
    """Return the tokens."""
    with urllib.request.urlopen(f"{ISSUER}/.well-known/openid-configuration") as found:
        discovery = json.load(found)
    verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    with http.server.HTTPServer((HOST, 0), Callback) as server:  # any port will do
        redirect_uri = f"http://{HOST}:{server.server_port}{PATH}"
        request = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": redirect_uri, "state": state, **ASKED}
        request |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        webbrowser.open(f"{discovery['authorization_endpoint']}?{urllib.parse.urlencode(request)}")
        server.answer = None
        while server.answer is None:
            server.handle_request()
    answer = server.answer
    if answer.get("state") != state or answer.get("iss") != ISSUER or "code" not in answer:
        raise SystemExit(answer.get("error_description", "not an answer to our request"))
    form = {"grant_type": "authorization_code", "client_id": CLIENT_ID, "code": answer["code"]}
    form |= {"redirect_uri": redirect_uri, "code_verifier": verifier}
    with urllib.request.urlopen(discovery["token_endpoint"], urllib.parse.urlencode(form).encode()) as tokens:
        return json.load(tokens)


if __name__ == "__main__":
    print(sign_in()["access_token"])
