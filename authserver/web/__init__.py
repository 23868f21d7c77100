"""HTTP: the only room that imports Flask (with app.py).

context.py runtime() and db() of this request, and the wrapper that commits, retries and rolls back · machine.py
answers what is plain in front of Flask · gateway.py HTTP events of AWS Lambda, read by gateway_request.py and
answered by gateway_answer.py · endpoints.py the token endpoint and every endpoint that a specification brings ·
authorize.py the only dispatcher of the pages login.py, consent.py and logout.py, which share flow.py, forms.py (and
its defence against forgery) and pending.py · well_known.py discovery and JWKS · mount.py the issuer's host and path ·
errors.py faults → page or JSON · headers.py CSP, CORS, cache · cookies.py names and flags · pages.py templates ·
language.py texts · rate_limit.py · health.py · upkeep.py · index.py · password.py one-time links of users · demo.py
(development alone) · administration.py the admin application, imported at its first request, with operators.py who
may do what, console/ its pages and api/ its REST API.
"""
