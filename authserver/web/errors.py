"""Faults: a page in plain sentences for people, JSON for machines, each with its request id (RFC 6749 section 5.2).

What the caller reads is a constant by code; the private reason goes to the log with the request id.
"""

import logging
from dataclasses import dataclass

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from authserver.runtime.keys import KeyUnavailable
from authserver.runtime.log import circumstances
from authserver.web.context import Unavailable, runtime
from authserver.web.headers import is_page
from authserver.web.language import N_, gettext
from authserver.web.mount import OPENED, is_issuer_host

log = logging.getLogger("authserver.web")

RETRY_SECONDS = 5


class PageError(Exception):
    """Nothing can go on here. `code` chooses the text, `because` is for the log, `again` is a path of ours to try again."""

    def __init__(self, code: str, *, status: int = 400, because: str, retry_after: int | None = None, again: str | None = None) -> None:
        """Keep what the page shows."""
        super().__init__(code)
        self.code = code
        self.status = status
        self.because = because
        self.retry_after = retry_after
        self.again = again


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person reads: what happened, and what to do."""

    title: str
    text: str
    advice: str


ASK_OPERATOR = N_("If this happens again, tell the people who run this service, and give them the error id.")
ASK_FOR_LINK = N_("Ask the people who run this service for a link by which you choose a new password, and give them the error id.")
START_AGAIN = N_("Go back to the application and start again.")

EXPLANATIONS = {
    "unknown_client": Explanation(
        N_("Unknown application"),
        N_("The application that sent you here is not registered with this service."),
        N_("Go back to the application. Its developers should check the client id that it uses."),
    ),
    "client_disabled": Explanation(
        N_("Application turned off"),
        N_("The application that sent you here may not be used at the moment."),
        N_("Ask the people who run the application."),
    ),
    "bad_redirect_uri": Explanation(
        N_("Wrong return address"),
        N_("The application asked us to send you to an address that is not registered for it, so we stopped here."),
        N_("Go back to the application. Its developers should compare its redirect URI with the registered ones, character by character."),
    ),
    "invalid_request": Explanation(
        N_("Request not understood"), N_("What your browser or the application sent is not complete or not correct."), START_AGAIN
    ),
    "expired_request": Explanation(
        N_("This sign-in is over"),
        N_("It took too long, was finished in another tab, or was started in another browser."),
        START_AGAIN,
    ),
    "cookies_off": Explanation(
        N_("Cookies are turned off"),
        N_("Your browser did not keep our cookie, and without it we cannot tell that it is you who goes on."),
        N_("Allow cookies for this site, then go back to the application and start again."),
    ),
    "form_expired": Explanation(
        N_("This form is too old"),
        N_("The page was open for too long or was not opened in this browser, so nothing was changed."),
        N_("Open the page again and repeat the last step."),
    ),
    "too_many_attempts": Explanation(
        N_("Too many attempts"),
        N_("There were too many attempts to sign in, so we ask you to wait before the next one."),
        N_("Wait, then try again. Your password has not been changed."),
    ),
    "moving_new_password": Explanation(
        N_("You need a new password"),
        N_("Your account was moved here. Its password was to be changed at the next sign-in, so it did not come along."),
        ASK_FOR_LINK,
    ),
    "moving_unconfirmed": Explanation(
        N_("Your account was never confirmed"),
        N_("Your account was moved here, but its email address was never confirmed."),
        ASK_FOR_LINK,
    ),
    "moving_second_step": Explanation(
        N_("Your code cannot be checked here"),
        N_("Your account was moved here. Until now you signed in with a code as well, and that cannot be checked here."),
        ASK_FOR_LINK,
    ),
    "unavailable": Explanation(
        N_("Not available at the moment"), N_("The service is too busy or is being repaired."), N_("Try again in a few seconds.")
    ),
    "server_error": Explanation(N_("Something went wrong"), N_("The fault is ours, not yours."), ASK_OPERATOR),
    "not_found": Explanation(N_("Page not found"), N_("There is no page at this address."), N_("Check the address, or go back.")),
    "method_not_allowed": Explanation(
        N_("Page not found"), N_("This address cannot be opened in this way."), N_("Check the address, or go back.")
    ),
    "too_large": Explanation(N_("Too much data"), N_("What your browser or the application sent is too large."), START_AGAIN),
    "wrong_host": Explanation(
        N_("Wrong address"),
        N_("You opened this service under an address that is not its own, where signing in cannot work."),
        N_(
            "Open the right address. If this one should be right, set AUTHSERVER_ISSUER to it; "
            "behind a proxy, let the proxy pass the Host header on, or set AUTHSERVER_TRUSTED_PROXIES."
        ),
    ),
}

CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
OAUTH_CODES = {"unavailable": "temporarily_unavailable", "server_error": "server_error", "not_found": "not_found"}


def register(app: Flask) -> None:
    """Answer every fault here."""
    app.register_error_handler(PageError, show)
    app.register_error_handler(HTTPException, on_http_exception)
    app.register_error_handler(Unavailable, on_unavailable)
    app.register_error_handler(KeyUnavailable, _on_key_unavailable)
    app.register_error_handler(Exception, _on_bug)
    app.before_request(check_host)


def check_host() -> None:
    """Refuse a page under another host than the issuer's (machines may come by address)."""
    opened = request.environ[OPENED]
    if is_page(request.path) and not is_issuer_host(runtime().settings, opened):
        raise PageError("wrong_host", because="Host is not the issuer's", again=runtime().settings.issuer + "/")


def show(error: PageError) -> Response:
    """Answer a fault: a page, or JSON at an endpoint for machines."""
    level = logging.INFO if error.status < 500 else logging.WARNING
    log.log(level, "refused", extra={"code": error.code, "status": error.status, "because": error.because})
    answer = _page(error) if is_page(request.path) else _json(error)
    answer.status_code = error.status
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def on_http_exception(error: HTTPException) -> Response:
    """Answer what Werkzeug refuses."""
    status = error.code or 500
    code = CODES.get(status) or ("invalid_request" if status < 500 else "server_error")
    answer = show(PageError(code, status=status, because=error.name))
    allowed = [value for name, value in error.get_headers() if name == "Allow"]
    if allowed:
        answer.headers["Allow"] = allowed[0]
    return answer


def on_unavailable(_error: Unavailable) -> Response:
    """Answer while the database is away."""
    return show(PageError("unavailable", status=503, because="database unavailable", retry_after=RETRY_SECONDS))


def _on_key_unavailable(error: KeyUnavailable) -> Response:
    return show(PageError("unavailable", status=503, because=str(error), retry_after=RETRY_SECONDS))


def _on_bug(error: Exception) -> Response:
    log.error("server error", exc_info=error)
    return show(PageError("server_error", status=500, because=type(error).__name__))


def _page(error: PageError) -> Response:
    from authserver.web.pages import page

    explanation = EXPLANATIONS[error.code]
    values = {
        "title": gettext(explanation.title),
        "text": gettext(explanation.text),
        "advice": gettext(explanation.advice),
        "error_id": circumstances.get().request_id,
        "opened": request.environ[OPENED] if error.code == "wrong_host" else "",
        "again": error.again or "",
        "wait": error.retry_after or 0,
    }
    return page("error.html", values)


def _json(error: PageError) -> Response:
    code = OAUTH_CODES.get(error.code, "invalid_request")
    return jsonify(error=code, error_description=EXPLANATIONS[error.code].text)
