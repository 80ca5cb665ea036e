"""A FastAPI application protected the way FastAPI's documentation teaches ("Security - OAuth2 scopes"), with this provider's tokens."""

from os import environ
from pathlib import Path

import jwt
from fastapi import Depends, FastAPI, HTTPException, Security, status
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from fastapi.staticfiles import StaticFiles

ISSUER = environ["IDP_ISSUER"]
AUDIENCE = environ.get("API_AUDIENCE", "urn:fastapi:items")
DOCS_CLIENT = environ.get("DOCS_CLIENT", "")

app = FastAPI(title="Items", docs_url=None)
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json")
oauth2_scheme = OAuth2PasswordBearer(
    tokenUrl=f"{ISSUER}/connect/token",
    scopes={"items:read": "List items", "items:write": "Create items"},
)


def current_caller(security_scopes: SecurityScopes, token: str = Depends(oauth2_scheme)) -> dict:
    challenge = f'Bearer scope="{security_scopes.scope_str}"' if security_scopes.scopes else "Bearer"
    try:
        # RFC 9068 §4: another kind of JWT under the same keys (an ID token, say) is no access token.
        if jwt.get_unverified_header(token).get("typ", "").lower() not in ("at+jwt", "application/at+jwt"):
            raise jwt.InvalidTokenError("not an access token")
        key = keys.get_signing_key_from_jwt(token).key
        claims = jwt.decode(
            token, key, algorithms=["ES256"], issuer=ISSUER, audience=AUDIENCE, options={"require": ["exp", "iss", "aud", "sub"]}
        )
    except jwt.PyJWTError as error:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Could not validate credentials", {"WWW-Authenticate": challenge}) from error
    granted = claims.get("scope", "").split()
    if any(scope not in granted for scope in security_scopes.scopes):
        # FastAPI's page answers 401 here; RFC 6750 §3.1 says 403.
        raise HTTPException(status.HTTP_403_FORBIDDEN, "Not enough permissions", {"WWW-Authenticate": challenge})
    return claims


@app.get("/items")
def list_items(caller: dict = Security(current_caller, scopes=["items:read"])) -> dict:
    return {"items": ["anvil", "rope"], "caller": caller["sub"]}


@app.post("/items", status_code=status.HTTP_201_CREATED)
def create_item(caller: dict = Security(current_caller, scopes=["items:write"])) -> dict:
    return {"created_by": caller["sub"]}


# The interactive documents with Swagger UI from npm: FastAPI's own page would load it from a CDN.
app.mount("/swagger-ui", StaticFiles(directory=Path(__file__).parent / "node_modules" / "swagger-ui-dist", check_dir=False))


@app.get("/docs", include_in_schema=False)
def docs():
    return get_swagger_ui_html(
        openapi_url=app.openapi_url,
        title=app.title,
        swagger_js_url="/swagger-ui/swagger-ui-bundle.js",
        swagger_css_url="/swagger-ui/swagger-ui.css",
        swagger_favicon_url="/swagger-ui/favicon-32x32.png",
        init_oauth={"clientId": DOCS_CLIENT},
    )
