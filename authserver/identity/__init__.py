"""People, and how they prove who they are; this room knows nothing of OAuth.

sign_in.py which factor is next, and what acr and amr the proven ones earn · password.py the one factor so far; each
later factor is a file beside it, and no factor imports another · cognito.py a password that only Cognito knows yet ·
session.py begin, renew and end a browser session · known_device.py browsers that an account has signed in with before.
Recovery, sign-up and federation get a file each when they come.
"""
