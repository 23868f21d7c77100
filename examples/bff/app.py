"""A backend for a frontend (RFC 10017, OAuth 2.0 for Browser-Based Applications): Flask, and Authlib's client with PKCE.

The browser has a cookie and nothing else. Tokens stay here: they are attached to calls of the API, and refreshed.

ISSUER=http://localhost:9000 API=http://127.0.0.1:4000 CLIENT_ID=… CLIENT_SECRET=… flask run --port 3000
"""

import os
from urllib.parse import quote, urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, Response, abort, g, redirect, request, url_for

COOKIE = "__Host-session"
CREDENTIALS = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
sessions = {}  # what each cookie stands for: where there are several processes, a table or Redis instead

app = Flask(__name__, static_folder="page", static_url_path="")
app.secret_key = os.environ.get("SESSION_KEY") or os.urandom(32)  # of Flask's own cookie, which only carries a sign-in to its end
app.config.update(SESSION_COOKIE_NAME="__Host-sign-in", SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE="Lax")
provider = OAuth(app).register(
    "provider",
    client_id=CREDENTIALS[0],
    client_secret=CREDENTIALS[1],
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_kwargs={"scope": os.environ.get("SCOPE", "openid profile notes:read"), "code_challenge_method": "S256"},
    update_token=lambda token, **_: g.held.update(token=token),
)
app.add_url_rule("/", "index", lambda: app.send_static_file("index.html"))


@app.before_request
def find_session():
    g.held = sessions.get(request.cookies.get(COOKIE))
    if request.path.startswith("/bff/") and request.headers.get("X-BFF") != "1":
        abort(403)  # what another origin begins cannot have this header: a form never, a script only if CORS allowed it


@app.after_request
def protect(response):
    response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


@app.get("/login")
def login():
    return provider.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    token = provider.authorize_access_token()  # checks state, redeems the code, checks the ID token and its nonce
    cookie = os.urandom(32).hex()
    sessions[cookie] = {"token": token, "name": provider.userinfo(token=token)["name"]}
    response = redirect(url_for("index"))
    response.set_cookie(COOKIE, cookie, secure=True, httponly=True, samesite="Strict")
    return response


@app.errorhandler(AuthlibBaseError)
def refused(error):
    ended = request.path.startswith("/bff/") and sessions.pop(request.cookies.get(COOKIE), None)  # with its refresh token
    return {"error": error.error}, 401 if ended else 400


@app.get("/bff/user")
def user():
    return {"name": g.held["name"] if g.held else None}


@app.route("/bff/api/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def call(path):
    if g.held is None or ".." in path:
        abort(404 if g.held else 401)
    url = f"{os.environ['API']}/{quote(path)}?{request.query_string.decode()}"
    headers = {name: request.headers[name] for name in ("Accept", "Content-Type") if name in request.headers}
    sent = {"data": request.get_data(), "headers": headers, "allow_redirects": False, "timeout": 10}
    answer = provider.request(request.method, url, token=g.held["token"], **sent)
    return Response(answer.content, answer.status_code, content_type=answer.headers.get("Content-Type"))


@app.post("/bff/logout")
def logout():
    held, server = sessions.pop(request.cookies.get(COOKIE), None), provider.load_server_metadata()
    if held:  # revoking the refresh token ends the access tokens that came of it too
        requests.post(server["revocation_endpoint"], {"token": held["token"]["refresh_token"]}, auth=CREDENTIALS, timeout=10)
    back = {"client_id": CREDENTIALS[0], "post_logout_redirect_uri": url_for("index", _external=True)}
    return {"next": f"{server['end_session_endpoint']}?{urlencode(back)}"}  # without the ID token: the server asks the person instead
