"""What an operator can do; the command line, the admin API and the console are skins over it. One file per resource.

Each function takes the caller's `Database` and `Runtime`, writes an audit event, and leaves the commit to the caller.
operation.py who does it, with authority.py what they may · errors.py says what can go wrong · clients.py, users.py,
resource_servers.py, sessions.py, grants.py, keys.py, tokens.py the resources · roles.py, links.py and welcome.py
administrators and one-time links · reach.py what a client may do to the admin API · own.py what the server registers
for itself · audit.py, failures.py and figures.py what happened · schema.py migrations · restore.py after a backup came
back · janitor.py what a schedule does (commits for itself) · demo.py what `authserver dev` creates · documents.py rows
as JSON documents · configuration/ a file of APIs, clients and roles · user_import/ people who come from another server ·
letters.py and outbox.py mail · snippets.py code to paste · test_drive.py short-lived copies of clients that try a flow ·
doctor/ what is wrong here, or with a server that runs somewhere.
"""
