"""A web application whose users sign in with OpenID Connect: Flask, and Authlib's client with PKCE.

ISSUER=http://localhost:9000 CLIENT_ID=… CLIENT_SECRET=… flask run --port 3000
"""

import os
from urllib.parse import urlencode

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for
from markupsafe import escape

app = Flask(__name__)
app.secret_key = os.environ.get("SESSION_KEY") or os.urandom(32)
provider = OAuth(app).register(
    "provider",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)


@app.get("/")
def index():
    if "name" not in session:
        return f'<a href="{url_for("login")}">Sign in</a>'
    return f'Signed in as {escape(session["name"])}. <a href="{url_for("logout")}">Sign out</a>'


@app.get("/login")
def login():
    return provider.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    token = provider.authorize_access_token()  # checks state, redeems the code, checks the ID token and its nonce
    session["id_token"], session["name"] = token["id_token"], provider.userinfo(token=token)["name"]
    return redirect(url_for("index"))


@app.errorhandler(AuthlibBaseError)
def refused(error):
    return f"Not signed in: {escape(error.error)}", 400


@app.get("/logout")
def logout():
    parameters = {"id_token_hint": session.pop("id_token", ""), "post_logout_redirect_uri": url_for("index", _external=True)}
    session.clear()
    return redirect(f"{provider.load_server_metadata()['end_session_endpoint']}?{urlencode(parameters)}")
