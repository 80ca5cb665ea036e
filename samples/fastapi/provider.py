"""What the API asks the provider: its keys, whether a token or key counts, tokens for a session."""

import httpx
import jwt
from fastapi import HTTPException

from settings import CLIENT_ID, CLIENT_SECRET, ISSUER, SESSION_CLIENT, SESSION_SECRET

http = httpx.Client(base_url=ISSUER, timeout=5)
# Fetched once in five minutes, and at a key id that is not in it.
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json")


def signing_key(token: str):
    try:
        return keys.get_signing_key_from_jwt(token).key
    except jwt.PyJWKClientError as error:
        # PyJWT has one exception for an unknown key and for no answer; only the first is the token's fault.
        if str(error).startswith("Fail to fetch"):
            raise HTTPException(503, "The provider's keys cannot be read.") from error
        raise


def introspect(token: str) -> dict:
    """RFC 7662: what the provider says about it now."""
    return _post("/connect/introspect", {"token": token}, (CLIENT_ID, CLIENT_SECRET)).json()


def tokens(form: dict) -> dict | None:
    """The token endpoint's answer; None when it refuses."""
    answer = _post("/connect/token", form, (SESSION_CLIENT, SESSION_SECRET), refusals=(400,))
    return answer.json() if answer.status_code == 200 else None


def _post(path: str, form: dict, credentials: tuple[str, str], refusals: tuple[int, ...] = ()) -> httpx.Response:
    try:
        answer = http.post(path, data=form, auth=credentials)
    except httpx.HTTPError as error:
        raise HTTPException(503, "The provider gives no answer.") from error
    # Any doubt is 503, never "let in".
    if answer.status_code != 200 and answer.status_code not in refusals:
        raise HTTPException(503, f"The provider answers {answer.status_code} at {path}.")
    return answer
