"""`authserver doctor`: what is wrong with a configuration, or with a server that runs somewhere, and what to change.

finding.py what a check is, what it found, and the report of a run · catalogue.py every check there is, by what it looks at.
Of a configuration (inspection.py reads it): settings_checks.py, database_checks.py, client_checks.py. Of a server over HTTP
(deployment.py asks it, wire.py alone opens a connection): reach_checks.py, discovery_checks.py, page_checks.py,
token_checks.py. Of what AWS takes: aws_checks.py; of a template that names the server to AWS: template.py,
template_checks.py. issuer_form.py says what is wrong with an issuer as it is written.
"""
