"""A file that says which APIs, clients and admin roles there are: compared with the database, applied to it, written from it.

source.py YAML as plain values, each with its line · document.py what the file may say · fields.py the JSON Schema of it
secret_reference.py secrets by reference · plan.py what differs · carry_out.py the plan done · run.py both, in transactions
describe.py a plan as text and as JSON · export.py the database as a file · start.py AUTHSERVER_APPLY.
"""
