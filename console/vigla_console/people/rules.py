"""The numbers of signing in, and what follows from them. Pure."""

from datetime import datetime, timedelta

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)  # a session is not written at each request
FREE_FAILURES = 5  # per account name
FREE_FAILURES_ADDRESS = 20  # many people share one address
FORGET_FAILURES = timedelta(hours=1)
LONGEST_WAIT = 900
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256


def expires(created: datetime, last_seen: datetime) -> datetime:
    """Half an hour idle or twelve hours in all, whichever comes first."""
    return min(last_seen + IDLE, created + LONGEST)


def wait_seconds(failures: int, free: int, last: datetime, now: datetime) -> int:
    """Seconds until another try is heard: nothing up to ``free`` failures, then 5, 10, 20 ... at most 15 minutes."""
    if failures < free or now - last > FORGET_FAILURES:
        return 0
    wait = min(5 << min(failures - free, 10), LONGEST_WAIT)
    return max(0, wait - int((now - last).total_seconds()))


def weakness(password: str, login: str) -> str | None:
    """Why a password is not accepted, or None."""
    if len(password) < SHORTEST_PASSWORD:
        return f"the password has {len(password)} characters: at least {SHORTEST_PASSWORD}"
    if len(password) > LONGEST_PASSWORD:
        return f"the password is longer than {LONGEST_PASSWORD} characters"
    if login.casefold() in password.casefold():
        return "the password holds the account's name"
    if len(set(password)) < 5:
        return "the password repeats too few characters"
    return None
