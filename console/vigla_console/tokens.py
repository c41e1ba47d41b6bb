"""Bearers' secrets: 256 random bits, shown or set once, kept as SHA-256 (so much randomness needs no salt)."""

import hashlib
import secrets


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
