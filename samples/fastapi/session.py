"""Sign-in by cookie: code + PKCE through the provider. The browser gets a random cookie; the tokens stay here."""

from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from time import time
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

import jwt
from fastapi import APIRouter, Cookie, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.security import SecurityScopes

import provider
from security import Caller, access_token_claims, allowed, from_our_pages, refused, session_cookie
from settings import AUDIENCE, ISSUER, PUBLIC_URL, SESSION_CLIENT

CALLBACK = f"{PUBLIC_URL}/session/callback"
CHALLENGE = f'Cookie realm="{AUDIENCE}", cookie-name="session"'
SIGN_IN_SECONDS = 600
MOST = 10_000


@dataclass
class Session:
    access_token: str
    refresh_token: str | None
    id_token: str
    expires: float


# In memory: enough for one process. Several share a database or a cache instead.
sessions: dict[str, Session] = {}
started: dict[str, tuple[str, str, str, float]] = {}
router = APIRouter(prefix="/session", include_in_schema=False)


def session(request: Request, needed: SecurityScopes, cookie: str | None = Depends(session_cookie)) -> Caller:
    found = sessions.get(digest(cookie)) if cookie else None
    if not cookie or not found:
        raise refused(CHALLENGE, "Sign in at /session/sign-in.")
    from_our_pages(request)
    if found.expires - 10 < time() and not refresh(found):
        sessions.pop(digest(cookie), None)
        raise refused(CHALLENGE, "The session has ended: sign in at /session/sign-in.")
    return allowed(Caller.of(access_token_claims(found.access_token)), needed, CHALLENGE)


@router.get("/sign-in")
def sign_in() -> Response:
    browser, state, nonce, verifier = (token_urlsafe(32) for _ in range(4))
    remember(started, digest(browser), (state, nonce, verifier, time()))
    request = {
        "client_id": SESSION_CLIENT,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid profile offline_access items:read items:write",
        "state": state,
        "nonce": nonce,
        "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    answer = RedirectResponse(f"{ISSUER}/connect/authorize?{urlencode(request)}", 303)
    set_cookie(answer, "signing-in", browser, max_age=SIGN_IN_SECONDS)
    return answer


@router.get("/callback")
def callback(
    state: str = "", code: str = "", error: str = "", iss: str = "", browser: str = Cookie("", alias="signing-in")
) -> Response:
    # The cookie shows that this browser began it; each beginning counts once. RFC 9207: `iss` shows who answers.
    expected, nonce, verifier, since = started.pop(digest(browser), ("", "", "", 0.0))
    if not expected or state != expected or iss != ISSUER or since + SIGN_IN_SECONDS < time():
        raise HTTPException(400, "This is no answer to a sign-in of this browser: begin again at /session/sign-in.")
    if error or not code:
        raise HTTPException(403, "The sign-in was refused.")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
    answer = provider.tokens(form)
    if not answer:
        raise HTTPException(400, "The provider does not accept the code: begin again at /session/sign-in.")
    try:
        key = provider.signing_key(answer["id_token"])
        claims = jwt.decode(answer["id_token"], key, algorithms=["RS256", "PS256", "ES256"], issuer=ISSUER, audience=SESSION_CLIENT)
        if claims.get("nonce") != nonce:
            raise jwt.InvalidTokenError("nonce")
    except jwt.PyJWTError as problem:
        raise HTTPException(400, "The ID token is not valid.") from problem

    cookie = token_urlsafe(32)
    expires = time() + answer["expires_in"]
    remember(sessions, digest(cookie), Session(answer["access_token"], answer.get("refresh_token"), answer["id_token"], expires))
    done = RedirectResponse("/", 303)
    done.delete_cookie("signing-in", path="/")
    set_cookie(done, "session", cookie)
    return done


@router.post("/sign-out")
def sign_out(request: Request, cookie: str | None = Depends(session_cookie)) -> dict:
    """Ends the session here; the page then goes to `location`, which ends it at the provider."""
    from_our_pages(request)
    ended = sessions.pop(digest(cookie), None) if cookie else None
    if not ended:
        return {"location": "/"}
    query = urlencode({"id_token_hint": ended.id_token, "post_logout_redirect_uri": f"{PUBLIC_URL}/"})
    return {"location": f"{ISSUER}/connect/logout?{query}"}


def refresh(old: Session) -> bool:
    answer = old.refresh_token and provider.tokens({"grant_type": "refresh_token", "refresh_token": old.refresh_token})
    if not answer:
        return False
    old.access_token, old.expires = answer["access_token"], time() + answer["expires_in"]
    old.refresh_token = answer.get("refresh_token", old.refresh_token)
    return True


def digest(cookie: str) -> str:
    return sha256(cookie.encode()).hexdigest()


def remember(store: dict, name: str, value: object) -> None:
    while len(store) >= MOST:
        store.pop(next(iter(store)), None)
    store[name] = value


def set_cookie(answer: Response, name: str, value: str, max_age: int | None = None) -> None:
    answer.set_cookie(name, value, max_age=max_age, path="/", httponly=True, samesite="lax", secure=PUBLIC_URL.startswith("https:"))
