"""The sample API in FastAPI: the same items behind every way to prove who calls. security.py and session.py are the ways."""

from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security
from fastapi.openapi.docs import get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as AnyHTTPException

import security
import session
from security import Caller
from settings import DOCS_CLIENT, LEGACY_SECRET

app = FastAPI(title="Items", docs_url=None, redoc_url=None)
items = [{"id": 1, "name": "a lamp", "createdBy": "the sample"}, {"id": 2, "name": "a chair", "createdBy": "the sample"}]


class NewItem(BaseModel):
    name: str = Field(min_length=1, max_length=100)


def items_behind(way) -> APIRouter:
    router = APIRouter()

    @router.get("/items")
    def list_items(caller: Caller = Security(way, scopes=["items:read"])) -> list[dict]:
        return items

    @router.post("/items", status_code=201)
    def create_item(item: NewItem, caller: Caller = Security(way, scopes=["items:write"])) -> dict:
        if len(items) >= 1000:
            raise HTTPException(507, "There are as many items as this sample holds.")
        created = {"id": items[-1]["id"] + 1, "name": item.name, "createdBy": caller.subject}
        items.append(created)
        return created

    @router.get("/admin")
    def administer(caller: Caller = Security(way, scopes=["admin"])) -> dict:
        return {"administrator": caller.subject}

    return router


ways = {
    "local": security.local,
    "introspected": security.introspected,
    "basic": security.key_from_basic,
    "key": security.key_from_header,
    "key-in-query": security.key_from_query,
    "key-in-cookie": security.key_from_cookie,
    "token-or-key": security.token_or_key,
    "session": session.session,
}
for name, way in ways.items():
    app.include_router(items_behind(way), prefix=f"/{name}", tags=[name])
app.include_router(session.router)


@app.delete("/items/{id}", status_code=204, tags=["policies"], dependencies=[Depends(security.permission("items:delete"))])
def delete_item(id: int) -> None:
    found = next((item for item in items[1:] if item["id"] == id), None)
    if not found:
        raise HTTPException(404, "There is no such item, or it is the one that stays.")
    items.remove(found)


@app.get("/report", tags=["policies"])
def report(caller: Caller = Depends(security.role("manager"))) -> dict:
    return {"items": len(items), "for": caller.subject}


if LEGACY_SECRET:

    @app.get("/legacy/items", tags=["legacy"])
    def list_for_legacy(caller: Caller = Security(security.shared_secret, scopes=["legacy:read"])) -> list[dict]:
        return items


@app.get("/", include_in_schema=False)
def index() -> dict:
    return {"documents": "/docs", "sign in": "/session/sign-in"}


@app.exception_handler(AnyHTTPException)
def problem(request: Request, error: AnyHTTPException) -> JSONResponse:
    """RFC 9457: what went wrong, as problem details."""
    body = {"status": error.status_code, "title": error.detail}
    return JSONResponse(body, error.status_code, error.headers, media_type="application/problem+json")


# --- The interactive documents, with Swagger UI from npm: FastAPI's own page would load it from a CDN.
app.mount("/swagger-ui", StaticFiles(directory=Path(__file__).parent / "node_modules" / "swagger-ui-dist", check_dir=False))


@app.get("/docs", include_in_schema=False)
def docs():
    return get_swagger_ui_html(
        openapi_url=app.openapi_url,
        title=app.title,
        swagger_js_url="/swagger-ui/swagger-ui-bundle.js",
        swagger_css_url="/swagger-ui/swagger-ui.css",
        swagger_favicon_url="/swagger-ui/favicon-32x32.png",
        oauth2_redirect_url="/docs/oauth2-redirect",
        init_oauth={"clientId": DOCS_CLIENT, "usePkceWithAuthorizationCodeGrant": True},
    )


@app.get("/docs/oauth2-redirect", include_in_schema=False)
def docs_redirect():
    return get_swagger_ui_oauth2_redirect_html()
