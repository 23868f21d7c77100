"""The five kinds of clients in words: what they are for, and what the wizard chooses for each, with the reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of client. `choices` are what it gets, each with its reason."""

    name: str
    title: str
    short: str
    icon: str
    text: str
    example: str = ""
    choices: tuple[tuple[str, str], ...] = ()


CODE_WITH_PKCE = ("Authorization code with PKCE", "The code alone is of no use to whoever sees it on the way.")
RSA = ("ID tokens signed with RS256", "Every library knows it; you can change it later.")

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "spa",
            "Single-page application",
            "Single-page",
            "browser",
            "Runs in the browser alone, like React, Vue or plain JavaScript.",
            "https://app.example.com/",
            (
                CODE_WITH_PKCE,
                ("No secret", "A browser cannot keep one; everybody can read the page's source."),
                ("Refresh tokens that rotate and end with the session", "A stolen one is noticed at its next use."),
                ("Calls from the origins of its redirect URIs", "Pages elsewhere cannot call in its name."),
                RSA,
            ),
        ),
        Kind(
            "web",
            "Web application",
            "Web",
            "window",
            "Runs on a server and shows pages, like Flask, Django, Rails or Next.js.",
            "https://shop.example.com/callback",
            (
                CODE_WITH_PKCE,
                ("A secret, sent in the header", "A server can keep one. Two work at a time, so that changing it needs no outage."),
                ("Refresh tokens that stay the same", "They are bound to the secret, and a lost answer breaks nothing."),
                RSA,
            ),
        ),
        Kind(
            "native",
            "Native or mobile application",
            "Native",
            "phone",
            "Is installed on a phone, a desktop or in a terminal.",
            "com.example.app:/callback",
            (
                CODE_WITH_PKCE,
                ("No secret", "Whoever has the application has what is in it."),
                ("Any port on 127.0.0.1 and localhost", "A program listens on whatever port is free."),
                ("Refresh tokens that rotate", "A stolen one is noticed at its next use."),
                RSA,
            ),
        ),
        Kind(
            "service",
            "Service",
            "Service",
            "server",
            "Calls an API in its own name, without anybody signing in: jobs, backends, scripts.",
            "",
            (
                ("Client credentials", "It proves who it is and gets a token; there is nobody to ask."),
                ("A secret, sent in the header", "It can have keys of its own instead: see its credentials later."),
                ("No refresh tokens", "It can fetch a new token at any time."),
            ),
        ),
        Kind(
            "device",
            "Device",
            "Device",
            "tv",
            "Has no keyboard or browser worth the name, like a television; people sign in on their phone.",
            "",
            (
                ("Device authorization", "It shows a code that people type elsewhere. This server speaks it in a later version."),
                ("No secret", "Whoever has the device has what is in it."),
            ),
        ),
    )
}
