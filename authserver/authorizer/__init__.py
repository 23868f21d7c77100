"""The Lambda authorizer: a function of its own that API Gateway asks whether a request's access token is good.

It is zipped alone and imports the standard library and cryptography, nothing else of authserver. handler.py is what
Lambda calls · settings.py its AUTHORIZER_* variables · event.py reads the five event shapes · verify.py the token
(RFC 9068) · keys.py one public key, jwks.py the set of them · introspection.py asks the server (RFC 7662) · fetch.py
the way out · routes.py scopes per route · policy.py the answers · refusal.py why there is none. docs/authorizers.md
is the guide.
"""
