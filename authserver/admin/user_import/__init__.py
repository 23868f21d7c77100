"""People who come from another server: read from files, or adopted when they first sign in.

entry.py one person as a file has them · cognito_csv.py and json_file.py read files, json_stream.py without holding them ·
attributes.py what Cognito's attributes are here · hashes.py password hashes with their parameters · check.py the rules,
those of `users create` · run.py stores them in batches, by the rows of storing.py · adopt.py the one who has just signed in at Cognito ·
progress.py how many have come.
"""
