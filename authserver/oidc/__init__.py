"""What OpenID Connect adds to oauth/, which never imports this room.

authentication_request.py nonce, prompt, max_age, claims and the sign-in steps · id_token.py the ID token beside an
access token · claims.py which claims a scope or request means · userinfo.py the endpoint for them ·
rp_initiated_logout.py sign-out asked for by a client · discovery.py its metadata.
"""
