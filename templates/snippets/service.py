# pip install requests
import os
import time

import requests

TOKEN_ENDPOINT = {{js token_endpoint}}
CREDENTIALS = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
ASK = {"grant_type": "client_credentials"}
ASK["resource"] = {{js resource}}
known = {"token": "", "until": 0.0}


def access_token() -> str:
    """Return a token that is good for another half minute at least; it is fetched anew only when it gets old."""
    if time.monotonic() > known["until"]:
[[basic]]        answer = requests.post(TOKEN_ENDPOINT, data=ASK, auth=CREDENTIALS, timeout=10)
[[post]]        answer = requests.post(TOKEN_ENDPOINT, data={**ASK, "client_id": CREDENTIALS[0], "client_secret": CREDENTIALS[1]}, timeout=10)
        answer.raise_for_status()
        known["token"], known["until"] = answer.json()["access_token"], time.monotonic() + answer.json()["expires_in"] - 30
    return known["token"]


if __name__ == "__main__":
    print(access_token())  # requests.get(url, headers={"Authorization": f"Bearer {access_token()}"}, timeout=10)
