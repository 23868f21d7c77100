"""authserver: a small OAuth 2.0 (RFC 6749) and OpenID Connect authorization server.

The rooms, from the outside in; each imports only what stands below it:

lambda_handler → wsgi | jobs → app → web | cli → admin → specs → oidc → oauth | identity → store → crypto → runtime

Nothing is imported here, so that a part can be loaded alone.
"""
