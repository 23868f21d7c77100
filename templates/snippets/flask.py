# pip install flask authlib requests
# Run it with ISSUER, CLIENT_ID and CLIENT_SECRET in the environment: flask run --port {{text port}}
import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for
from markupsafe import escape

app = Flask(__name__)
app.secret_key = os.environ.get("SESSION_KEY") or os.urandom(32)
provider = OAuth(app).register(
    "provider",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={
        "scope": {{js scope}},
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": {{js auth_method}},
    },
)
REDIRECT_URI = {{js redirect_uri}}
asked = {}
asked["resource"] = {{js resource}}


@app.get({{js login_path}})
def login():
    return provider.authorize_redirect(REDIRECT_URI, **asked)


@app.get({{js callback_path}})
def callback():
    token = provider.authorize_access_token()  # checks state, redeems the code, checks the ID token and its nonce
    session["user"] = dict(provider.userinfo(token=token))
    return redirect(url_for("signed_in"))


@app.get({{js done_path}})
def signed_in():
    if "user" not in session:
        return redirect(url_for("login"))
    return f"Signed in as {escape(session['user'].get('name') or session['user']['sub'])}"
