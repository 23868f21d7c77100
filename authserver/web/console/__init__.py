"""The console at /admin: one file per resource, named as in admin/; every page works without scripts.

routes.py lists the pages · frame.py what every page has around it · sign_in.py who operates · faults.py refusals as pages ·
notes.py what one page tells the next · charts.py and timeline.py pictures · entries.py forms that edit a document, with
conflicts.py · client_*.py the tabs of an application · wizard.py a new one · exchanges.py what a test drive shows ·
commands.py the same as a command and a call.
"""
