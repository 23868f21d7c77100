"""`authserver doctor`: what is wrong with a configuration, or with a server that runs somewhere, and what to change.

finding.py what a check is and what it found · report.py all findings of a run · catalogue.py every check there is, by
what it looks at. Of a configuration (inspection.py reads it): settings_checks.py, lifetime_checks.py,
database_checks.py, client_checks.py. Of a server over HTTP (deployment.py asks it, wire.py alone opens a connection):
reach_checks.py, discovery_checks.py, jwks_checks.py, front_checks.py (proxies, gateways), page_checks.py,
token_checks.py. Of what AWS takes: aws_checks.py; of a template that names the server to AWS: template.py,
template_checks.py. issuer_form.py says how an issuer that is written otherwise differs.
"""
