"""The authentication request (OpenID Connect Core section 3.1.2.1): its parameters, and when the user must sign in."""

from typing import Any

from authlib.oidc.core.errors import (
    AccountSelectionRequiredError,
    LoginRequiredError,
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

from authserver.crypto.jose import TokenRefused
from authserver.oauth.authorization.draft import Draft
from authserver.oauth.authorization.interaction import Fail, Situation, Step, consent
from authserver.oauth.errors import InvalidRequestError, OAuth2Error, refuse
from authserver.oauth.server import Server
from authserver.oauth.spec import Spec
from authserver.oidc.claims import PROTOCOL_CLAIMS, USER_CLAIMS, claim_values, read_claims_parameter, scopes_of, without
from authserver.oidc.id_token import read_hint
from authserver.runtime.settings import Settings
from authserver.store.base import show_id

PROMPTS = ("none", "login", "consent", "select_account")
DISPLAYS = ("page", "popup", "touch", "wap")
PASSWORD_ACR = "urn:authserver:password"
UNSUPPORTED = {
    "request": RequestNotSupportedError,
    "request_uri": RequestURINotSupportedError,
    "registration": RegistrationNotSupportedError,
}


class UnmetAuthenticationRequirementsError(OAuth2Error):
    """An essential `acr` cannot be reached (OpenID Connect Core Unmet Authentication Requirements section 2)."""

    error = "unmet_authentication_requirements"
    description = "The demanded authentication context cannot be reached."


def check(server: Server, draft: Draft) -> dict[str, Any]:
    """Read what OpenID Connect adds; without the scope `openid`, only what is harmless for plain OAuth."""
    payload = draft.payload
    for name, error in UNSUPPORTED.items():
        if payload.get(name) is not None:
            refuse(error(), because=f"{name} is not supported")
    claims = _claims(draft) if draft.is_openid else {}
    return {
        "nonce": payload.get("nonce") if draft.is_openid else None,
        "prompt": _prompt(payload.get("prompt")),
        "max_age": _max_age(payload.get("max_age"), draft),
        "login_hint": (payload.get("login_hint") or "")[:254] or None,
        "hinted_subject": _hinted_subject(server, payload.get("id_token_hint"), claims),
        "ui_locales": tuple((payload.get("ui_locales") or "").split())[:10],
        "display": payload.get("display") if payload.get("display") in DISPLAYS else None,
        "acr_values": tuple((payload.get("acr_values") or "").split()),
        "demanded_acr": claim_values(claims.get("id_token", {}).get("acr"), essential_only=True),
        "claims": claims,
        "claimed_scope": scopes_of(claims),
    }


def _claims(draft: Draft) -> dict[str, dict[str, Any]]:
    """Read `claims`, without those of scopes that the client may not ask for."""
    claims, registered = read_claims_parameter(draft.payload.get("claims")), draft.client.scope
    return without(claims, [scope for scope in scopes_of(claims) if registered and scope not in registered])


def _prompt(text: str | None) -> frozenset[str]:
    values = frozenset((text or "").split())
    if not values <= set(PROMPTS) or ("none" in values and len(values) > 1):
        refuse(InvalidRequestError("prompt has an unknown value, or none beside another."), because="bad prompt")
    return values


def _max_age(text: str | None, draft: Draft) -> int | None:
    if text is None:
        default: int | None = draft.client.metadata.get("default_max_age")
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        refuse(InvalidRequestError("max_age must be a whole number of seconds."), because="bad max_age")
    return int(text)


def _hinted_subject(server: Server, hint: str | None, claims: dict[str, Any]) -> str | None:
    asked = claim_values(claims.get("id_token", {}).get("sub"))
    if hint is None:
        return str(asked[0]) if asked else None
    try:
        return str(read_hint(server, hint)["sub"])
    except TokenRefused as refused:
        refuse(InvalidRequestError("id_token_hint is not an ID token of this server."), because=f"id_token_hint: {refused}")


def sign_in(situation: Situation) -> Step | Fail | None:
    """Ask for a sign-in: nobody is, someone else is, it is too long ago, or a fresh one is demanded."""
    request, session = situation.request, situation.session
    if session is None:
        return Step("login", LoginRequiredError)
    hinted = request.hinted_subject
    if hinted is not None and hinted != show_id(session.user_id):
        return Fail(LoginRequiredError, "another user signed in") if situation.has_just_signed_in else Step("login", LoginRequiredError)
    if not situation.has_just_signed_in and _is_stale(situation):
        return Step("login", LoginRequiredError)
    return None


def _is_stale(situation: Situation) -> bool:
    request, session = situation.request, situation.session
    if session is None or "login" in request.prompt:
        return True
    age = (situation.now - session.authenticated_at).total_seconds()
    return request.max_age is not None and age > request.max_age


def context(situation: Situation) -> Step | Fail | None:
    """Fail where an essential `acr` is none that this sign-in earned."""
    demanded, session = situation.request.demanded_acr, situation.session
    if demanded and session is not None and session.acr not in demanded:
        return Fail(UnmetAuthenticationRequirementsError, "essential acr cannot be reached")
    return None


def account(situation: Situation) -> Step | Fail | None:
    """Ask which account, unless the user just chose one or signed in."""
    if "select_account" not in situation.request.prompt or situation.has_just_signed_in:
        return None
    pending = situation.pending
    chosen = pending is not None and pending.account_selected_at is not None and situation.is_mine
    return None if chosen else Step("account", AccountSelectionRequiredError)


def metadata(_settings: Settings) -> dict[str, Any]:
    """Return what the discovery document says of authentication requests."""
    return {
        "prompt_values_supported": list(PROMPTS),
        "display_values_supported": list(DISPLAYS),
        "acr_values_supported": [PASSWORD_ACR],
        "claims_supported": [*PROTOCOL_CLAIMS, *USER_CLAIMS],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "ui_locales_supported": ["en", "de"],
    }


SPEC = Spec(
    name="OpenID Connect Core",
    title="OpenID Connect Core 1.0 (code flow)",
    url="https://openid.net/specs/openid-connect-core-1_0.html",
    request_checks=(check,),
    steps=(sign_in, context, account, consent),
    metadata=metadata,
    required=True,
)
