"""The members of a client's document, named as in RFC 7591 section 2 and OpenID Connect Registration section 2, and ours.

What each member may hold is checked by oauth/client_registration.py; the types here say the shape alone.
"""

from typing import Any, Literal

from pydantic import Field

from authserver.web.api.models import Body, Day, Document, Instant, Name, Patch, Query, Shape, Text, Uri

Kind = Literal["spa", "native", "web", "service", "device"]
Algorithm = Literal["RS256", "PS256", "ES256", "Ed25519"]
AuthMethod = Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
GrantType = Literal["authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"]
Status = Literal["enabled", "disabled"]


class ClientMembers(Shape):
    """Metadata of a client; null stands for the default of the client's kind."""

    redirect_uris: list[Uri] | None = Field(None, description="Where users come back to, compared byte for byte.")
    post_logout_redirect_uris: list[Uri] | None = Field(None, description="Where users may go after signing out.")
    allowed_origins: list[Uri] | None = Field(None, description="Origins whose pages may call, beside those of the redirect URIs.")
    grant_types: list[GrantType] | None = Field(None, description="The grants that it may use.")
    response_types: list[Literal["code"]] | None = Field(None, description='`["code"]` where it has the authorization code grant.')
    response_modes: list[Literal["query", "form_post"]] | None = Field(None, description="How authorization responses may come back.")
    token_endpoint_auth_method: AuthMethod | None = Field(None, description="How it authenticates. A change needs a recent sign-in.")
    token_endpoint_auth_signing_alg: Algorithm | None = Field(None, description="What must sign its assertions.")
    jwks: dict[str, Any] | None = Field(None, description="Its public keys, a JSON Web Key Set. A change needs a recent sign-in.")
    jwks_uri: Uri | None = Field(None, description="Where its public keys are. A change needs a recent sign-in.")
    id_token_signed_response_alg: Algorithm | None = Field(None, description="What signs its ID tokens.")
    userinfo_signed_response_alg: Algorithm | None = Field(None, description="What signs userinfo; without it, userinfo is JSON.")
    scope: str | None = Field(None, description="The scopes that it may ask for, with spaces between; empty for all there are.")
    apis: list[Uri] | None = Field(None, description="The APIs that it may ask tokens for; the first is its default.")
    require_pkce: bool | None = Field(None, description="Whether it must use PKCE; only a client that authenticates can do without.")
    refresh_token_lifetime: int | None = Field(None, ge=60, description="The longest life of its refresh tokens, in seconds.")
    refresh_token_rotation: Literal["auto", "always", "never"] | None = Field(None, description="Whether its refresh tokens rotate.")
    assertion_audience: Literal["issuer", "token_endpoint"] | None = Field(None, description="What the audience of its assertions may be.")
    default_max_age: int | None = Field(None, ge=0, description="After how many seconds its users sign in again.")
    consent: Literal["required", "remembered", "skipped"] | None = Field(None, description="Whether its users are asked for consent.")
    attributes: dict[str, Any] | None = Field(None, description="What APIs can ask to have in its own tokens, by name.")
    client_uri: Uri | None = Field(None, description="Its home page.")
    policy_uri: Uri | None = Field(None, description="Its privacy policy.")
    tos_uri: Uri | None = Field(None, description="Its terms of service.")
    initiate_login_uri: Uri | None = Field(None, description="Where a sign-in that we begin is sent.")
    contacts: list[str] | None = Field(None, description="Whom to write to about it.")


class NewClient(ClientMembers, Body):
    """A client to register; the server names it and makes its secret."""

    kind: Kind = Field(description="Decides its grants, how it authenticates, and its redirect URIs.")
    client_name: Name = Field(description="What users read when they are asked to consent.")


class ClientChanges(ClientMembers, Patch):
    """A JSON Merge Patch of a client."""

    client_name: Name = Field("", description="What users read when they are asked to consent.")
    enabled: bool = Field(True, description="Disabling it ends all its grants.")


class SecretDocument(Document):
    """What is known of a client's secret; the secret itself is not."""

    id: str = Field(description="Names the secret.")
    created_at: Instant
    expires_at: Instant | None
    last_used_on: Day | None


class ClientDocument(ClientMembers, Document):
    """A client."""

    client_id: str
    kind: Kind
    client_name: str
    enabled: bool
    secrets: list[SecretDocument] = Field(description="Its secrets; empty in lists.")
    managed_by: str = Field(description="The file that owns it, and in which alone it can be changed; empty for none.")
    last_used_on: Day | None
    version: int = Field(description="Counts its changes; also the ETag.")
    created_at: Instant
    updated_at: Instant


class IssuedClientDocument(ClientDocument):
    """A client, and its new secret where one was made just now."""

    client_secret: str | None = Field(None, description="Shown this once, and not in the answer to a repetition.")
    client_secret_expires_at: int | None = Field(None, description="0: it does not expire (RFC 7591 section 3.2.1).")


class ClientQuery(Query):
    """Which clients to list."""

    q: Text = Field("", description="The beginning of a word of the name, of the id, or of a redirect URI's host.")
    kind: Kind | None = Field(None, description="Only clients of this kind.")
    status: Status | None = Field(None, description="Only enabled or only disabled ones.")
