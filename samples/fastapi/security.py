"""The ways to prove who calls, each a dependency that gives a Caller or answers as the RFCs demand.

FastAPI's own schemes describe themselves in the documents; `auto_error=False` has them leave the answer to us, because theirs is 403
without a challenge for a missing credential, where RFC 9110 §15.5.2 wants 401 with `WWW-Authenticate`.
"""

from base64 import urlsafe_b64decode
from dataclasses import dataclass

import jwt
from fastapi import Depends, HTTPException, Request
from fastapi.openapi.models import OAuthFlows
from fastapi.security import APIKeyCookie, APIKeyHeader, APIKeyQuery, HTTPBasic, HTTPBasicCredentials, OAuth2, SecurityScopes

import provider
from settings import AUDIENCE, ISSUER, LEGACY_AUDIENCE, LEGACY_SECRET, SCOPES


@dataclass(frozen=True)
class Caller:
    subject: str
    scopes: frozenset[str]
    roles: frozenset[str]
    permissions: frozenset[str]

    @staticmethod
    def of(claims: dict) -> "Caller":
        def names(claim: str) -> frozenset[str]:
            return frozenset(claims.get(claim, []))

        return Caller(claims["sub"], frozenset(claims.get("scope", "").split()), names("roles"), names("permissions"))


# --- The credentials, as the documents show them.

oauth2 = OAuth2(
    scheme_name="token",
    auto_error=False,
    flows=OAuthFlows(
        authorizationCode={"authorizationUrl": f"{ISSUER}/connect/authorize", "tokenUrl": f"{ISSUER}/connect/token", "scopes": SCOPES},
        password={"tokenUrl": f"{ISSUER}/connect/token", "scopes": SCOPES},
        clientCredentials={"tokenUrl": f"{ISSUER}/connect/token", "scopes": SCOPES},
    ),
)
basic = HTTPBasic(scheme_name="key as user name and password", realm=AUDIENCE, auto_error=False)
header_key = APIKeyHeader(name="X-API-Key", scheme_name="key in a header", auto_error=False)
query_key = APIKeyQuery(name="api_key", scheme_name="key in the query", auto_error=False)
cookie_key = APIKeyCookie(name="api_key", scheme_name="key in a cookie", auto_error=False)
session_cookie = APIKeyCookie(name="session", scheme_name="session", auto_error=False)

BEARER = f'Bearer realm="{AUDIENCE}"'
BASIC = f'Basic realm="{AUDIENCE}", charset="UTF-8"'
KEY = f'ApiKey realm="{AUDIENCE}"'


def refused(challenge: str, detail: str) -> HTTPException:
    return HTTPException(401, detail, {"WWW-Authenticate": challenge})


def invalid_token(detail: str) -> HTTPException:
    return refused(f'{BEARER}, error="invalid_token", error_description="{detail}"', detail)


def bearer_token(request: Request, _: str | None = Depends(oauth2)) -> str:
    values = request.headers.getlist("Authorization")
    if len(values) > 1:
        raise HTTPException(400, "More than one Authorization header.", {"WWW-Authenticate": f'{BEARER}, error="invalid_request"'})
    scheme, _, token = (values[0] if values else "").partition(" ")
    if scheme.lower() != "bearer":
        # RFC 6750 §3.1: who sent no token is told no error.
        raise refused(BEARER, "A bearer token is required.")
    return token.strip()


# --- The same tokens, checked in two ways.


def local(needed: SecurityScopes, token: str = Depends(bearer_token)) -> Caller:
    return allowed(Caller.of(access_token_claims(token)), needed, BEARER)


def access_token_claims(token: str) -> dict:
    try:
        # RFC 9068 §4: an ID token is signed with the same keys, but is no access token.
        if jwt.get_unverified_header(token).get("typ", "").lower() not in ("at+jwt", "application/at+jwt"):
            raise jwt.InvalidTokenError("not an access token")
        return jwt.decode(
            token,
            provider.signing_key(token),
            algorithms=["ES256", "RS256", "PS256"],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
    except jwt.PyJWTError as error:
        raise invalid_token("The token is not valid.") from error


def introspected(needed: SecurityScopes, token: str = Depends(bearer_token)) -> Caller:
    answer = provider.introspect(token)
    # An API key is introspected like a token, but it is none.
    if not answer["active"] or answer.get("token_type") != "Bearer" or not for_us(answer):
        raise invalid_token("The token is not active.")
    return allowed(Caller.of(answer), needed, BEARER)


def shared_secret(needed: SecurityScopes, token: str = Depends(bearer_token)) -> Caller:
    """HS256, for an API that insists: whoever can check such a token can also make one. `local` is the way that replaces it."""
    try:
        secret = urlsafe_b64decode(LEGACY_SECRET + "=" * (-len(LEGACY_SECRET) % 4))
        # The algorithm is ours to say, never the token's: a public key must not be taken for a secret.
        claims = jwt.decode(
            token, secret, algorithms=["HS256"], issuer=ISSUER, audience=LEGACY_AUDIENCE, options={"require": ["exp", "iss", "aud", "sub"]}
        )
    except jwt.PyJWTError as error:
        raise invalid_token("The token is not valid.") from error
    return allowed(Caller.of(claims), needed, BEARER)


def for_us(answer: dict) -> bool:
    audience = answer.get("aud", [])
    return AUDIENCE in ([audience] if isinstance(audience, str) else audience)


# --- API keys, in each of their places.


def key_from_basic(needed: SecurityScopes, sent: HTTPBasicCredentials | None = Depends(basic)) -> Caller:
    # The user name is the key's id, the password its secret.
    return key_caller(sent and f"idp_{sent.username}_{sent.password}", needed, BASIC)


def key_from_header(needed: SecurityScopes, key: str | None = Depends(header_key)) -> Caller:
    return key_caller(key, needed, f'{KEY}, in="header", name="X-API-Key"')


def key_from_query(needed: SecurityScopes, key: str | None = Depends(query_key)) -> Caller:
    # Addresses end up in logs and histories: offer this only to callers that can do nothing else.
    return key_caller(key, needed, f'{KEY}, in="query", name="api_key"')


def key_from_cookie(request: Request, needed: SecurityScopes, key: str | None = Depends(cookie_key)) -> Caller:
    if key:
        from_our_pages(request)
    return key_caller(key, needed, f'{KEY}, in="cookie", name="api_key"')


def key_caller(key: str | None, needed: SecurityScopes, challenge: str) -> Caller:
    if not key:
        raise refused(challenge, "An API key is required.")
    answer = provider.introspect(key)
    if not answer["active"] or answer.get("token_type") != "ApiKey" or not for_us(answer):
        raise refused(challenge, "The API key is not valid.")
    return allowed(Caller.of(answer), needed, challenge)


# --- Two ways on one endpoint: the caller chooses, but sends one of them only.


def token_or_key(request: Request, needed: SecurityScopes, _: str | None = Depends(oauth2), key: str | None = Depends(header_key)) -> Caller:
    has_authorization = "Authorization" in request.headers
    if key and has_authorization:
        raise HTTPException(400, "Send a token or a key, not both.", {"WWW-Authenticate": f'{BEARER}, error="invalid_request"'})
    if key:
        return key_from_header(needed, key)
    if has_authorization:
        return local(needed, bearer_token(request))
    raise refused(f'{BEARER}, {KEY}, in="header", name="X-API-Key"', "A token or an API key is required.")


def from_our_pages(request: Request) -> None:
    """A browser adds cookies to any site's requests, but lets another site's page set no header of its own."""
    if request.method not in ("GET", "HEAD", "OPTIONS") and "X-Requested-With" not in request.headers:
        raise HTTPException(403, "With a cookie this needs the header X-Requested-With.")


# --- What the caller may do.


def allowed(caller: Caller, needed: SecurityScopes, challenge: str) -> Caller:
    if not caller.scopes.issuperset(needed.scopes):
        # FastAPI's tutorial answers 401 here; RFC 6750 §3.1 says 403.
        if challenge.startswith("Bearer"):
            challenge += f', error="insufficient_scope", scope="{needed.scope_str}"'
        raise HTTPException(403, f"Needs the scope {needed.scope_str}.", {"WWW-Authenticate": challenge})
    return caller


def permission(name: str):
    """A policy: the caller's roles give this permission."""

    def check(caller: Caller = Depends(local)) -> Caller:
        if name not in caller.permissions:
            raise HTTPException(403, f"Needs the permission {name}.", {"WWW-Authenticate": f'{BEARER}, error="insufficient_scope"'})
        return caller

    return check


def role(name: str):
    """A policy: the caller holds this role."""

    def check(caller: Caller = Depends(local)) -> Caller:
        if name not in caller.roles:
            raise HTTPException(403, f"Needs the role {name}.", {"WWW-Authenticate": f'{BEARER}, error="insufficient_scope"'})
        return caller

    return check
