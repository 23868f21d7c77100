"""Pure cryptography, without storage or HTTP.

digest.py random tokens and what is stored of them · password_hash.py argon2id for human passwords · foreign_hash.py
those that other servers hashed · jose.py signs and verifies JWTs with an algorithm allow-list · key_ring.py which key
signs and which are published, by time alone · sealing.py secrets at rest · mark.py marks on what a browser carries back.
"""
