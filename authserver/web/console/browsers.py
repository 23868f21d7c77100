"""A browser's name and system from its User-Agent, as far as it says; only for people to recognize their own."""

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"))
SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)
LONGEST = 60


def browser_of(user_agent: str) -> str:
    """Write `Firefox on Linux`; what no browser says is shown as it is, cut short."""
    name = _first(BROWSERS, user_agent) or ("Safari" if "Safari/" in user_agent else "")
    system = _first(SYSTEMS, user_agent)
    if name:
        return f"{name} on {system}" if system else name
    return user_agent[:LONGEST] or "unknown browser"


def _first(signs: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for sign, name in signs if sign in user_agent), "")
