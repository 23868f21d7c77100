"""OAuth 2.0 on the wire. A token request goes: server.py (Authlib's dispatch) → grant.py (client authentication,
allowed grant) → grants/*.py `prove()` → issuance.py, the single mint.

spec.py says what one specification adds, as data · request.py reads parameters strictly · errors.py refuses ·
client_auth/ one file per method · authorization/ the authorization endpoint · signing_keys.py the ring of keys ·
client_registration.py the rules of a client's metadata · scope.py, pkce.py, access_token.py, refresh_token.py,
introspection.py, revocation.py, metadata.py and one file per later RFC.
"""
