"""Refusals of the caller's identity and rights."""

from __future__ import annotations

from hubbub.errors.refusal import Action, Refusal


class MissingHeader(Refusal):
    """The request carries no bearer token.

    Send `Authorization: Bearer <token>` with an API key, a dashboard token or an OAuth access token. A scheme
    other than `Bearer` counts as no header.
    """

    code = "auth.missing_header"
    status = 401
    action = Action.FIX_REQUEST
    message = "Every request needs an `Authorization: Bearer` header; this one has none."


class EmptyToken(Refusal):
    """Nothing follows `Bearer`.

    Usually an environment variable that was never set. Put the token after the word, one space apart.
    """

    code = "auth.empty_token"
    status = 401
    action = Action.FIX_REQUEST
    message = "A token must follow `Bearer`; nothing does."


class InvalidKey(Refusal):
    """The API key is not one of ours that still works.

    It was mistyped, revoked or replaced by a newer one. Keys are shown once, when they are made; make another
    if this one is lost.
    """

    code = "auth.invalid_key"
    status = 401
    action = Action.FIX_REQUEST
    message = "An API key must be active; no active key matches this one."


class InvalidToken(Refusal):
    """The token is not an API key and cannot be accepted as anything else.

    Its signature, audience or time of validity is wrong, or it is of a kind this endpoint does not take. Sign
    in again for a fresh one.
    """

    code = "auth.invalid_token"
    status = 401
    action = Action.FIX_REQUEST
    message = "A token must be signed by us and still valid; this one is not."


class InvalidSecret(Refusal):
    """The secret is not the one that belongs to this name.

    Either an OAuth client's secret, or a person's password; a wrong e-mail address is refused with the same words. Look
    it up where it was set, or set a new one.
    """

    code = "auth.invalid_secret"
    status = 401
    action = Action.FIX_REQUEST
    message = "The secret must be the registered one; this one differs."


class NotAuthenticated(Refusal):
    """The endpoint needs to know who is calling, and nobody is.

    Sign in, or send an API key.
    """

    code = "auth.not_authenticated"
    status = 401
    action = Action.FIX_REQUEST
    message = "This needs a signed-in caller; the request has none."


class NotProvisioned(Refusal):
    """The person is known to the sign-in service but has no user here yet.

    Call `POST /v1/users/provision` once with the same token, then repeat the request.
    """

    code = "auth.not_provisioned"
    status = 401
    action = Action.FIX_REQUEST
    message = "A person needs a user here first; call POST /v1/users/provision."


class UserNotFound(Refusal):
    """The token belongs to a user who was deleted.

    Nothing can be done with this token any more.
    """

    code = "auth.user_not_found"
    status = 401
    action = Action.FIX_REQUEST
    message = "The token's user must exist; it was deleted."


class DashboardOnly(Refusal):
    """The endpoint answers people in the dashboard, not programs.

    API keys and OAuth access tokens are refused here whatever their scopes. Do it in the dashboard.
    """

    code = "auth.dashboard_only"
    status = 403
    action = Action.FIX_REQUEST
    message = "Only a dashboard sign-in may do this; this is another kind of token."


class RequiresDashboardAuth(Refusal):
    """The endpoint belongs to a brand's screens in the dashboard.

    API keys and OAuth access tokens are refused here whatever their scopes. Do it in the dashboard.
    """

    code = "auth.requires_dashboard_auth"
    status = 403
    action = Action.FIX_REQUEST
    message = "A brand's settings need a dashboard sign-in; this is another kind of token."


class InsufficientScope(Refusal):
    """The key is restricted, and this lies outside what it may do.

    `meta.required_scope` names the scope to add to the key. Where it is absent no scope helps: only a key
    without restrictions may do this.
    """

    code = "auth.insufficient_scope"
    status = 403
    action = Action.FIX_REQUEST
    message = "This key may not do this: {problem}."
    hidden = frozenset({"problem"})

    required_scope: str | None = None
    problem: str = ""
    """The rest of the sentence; written from the scope when empty."""

    def __post_init__(self) -> None:
        if not self.problem:
            scope = self.required_scope
            self.problem = f"it lacks the scope {scope}" if scope else "it takes a key without restrictions"


class StateMismatch(Refusal):
    """The sign-in that came back is not one that was started here.

    Its state is unknown, older than ten minutes, used before, or belongs to another workspace. Start again
    with `GET /v1/oauth/url`.
    """

    code = "auth.state_mismatch"
    status = 400
    action = Action.FIX_REQUEST
    message = "The state must be one we issued, unused and fresh; this one is not. Start the sign-in again."


class InvalidClient(Refusal):
    """No OAuth client has this id.

    Register the client first; assistants that connect through MCP do so by themselves.
    """

    code = "auth.oauth.invalid_client"
    status = 400
    action = Action.FIX_REQUEST
    message = "The client_id must be a registered client; none has this one."


class InvalidRedirect(Refusal):
    """The address to return to is not registered for the client.

    Addresses are compared character by character. Register this one, or send one that is.
    """

    code = "auth.oauth.invalid_redirect"
    status = 400
    action = Action.FIX_REQUEST
    message = "The redirect_uri must be registered for the client; this one is not."


class RequestExpired(Refusal):
    """The authorization request, or the code it gave, is too old or was used.

    Codes work once and for minutes. Start the sign-in again.
    """

    code = "auth.oauth.request_expired"
    status = 400
    action = Action.FIX_REQUEST
    message = "An authorization code works once and for a short time; this one no longer does."


class UserMissing(Refusal):
    """The person who gave the client its access was deleted.

    The grant cannot be used or renewed; the client has to ask another person.
    """

    code = "auth.oauth.user_missing"
    status = 400
    action = Action.FIX_REQUEST
    message = "The user behind a grant must exist; this one was deleted."
