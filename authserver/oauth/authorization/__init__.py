"""The authorization endpoint (RFC 6749 section 4.1), without HTTP: draft.py a request whose client is trusted ·
request.py reads and checks it · interaction.py which page comes next · code.py the end · response_mode.py how the
answer travels.
"""
