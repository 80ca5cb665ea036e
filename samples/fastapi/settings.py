"""What the sample can be told, by environment variables. The defaults fit the provider's demo (`make run`)."""

from os import environ

ISSUER = environ.get("IDP_ISSUER", "http://localhost:8080")
PUBLIC_URL = environ.get("PUBLIC_URL", "http://localhost:7002")

# The API, as the provider knows it, and the credentials with which it asks about tokens and keys.
AUDIENCE = environ.get("API_AUDIENCE", "urn:demo:api")
CLIENT_ID = environ.get("API_CLIENT_ID", "demo-api")
CLIENT_SECRET = environ.get("API_CLIENT_SECRET", "demo-api-secret")

# The API with tokens under a shared secret (base64url, as `resource secret` prints it); without one it has no such endpoint.
LEGACY_AUDIENCE = environ.get("LEGACY_AUDIENCE", "urn:demo:legacy")
LEGACY_SECRET = environ.get("LEGACY_SECRET", "")

# Public client of the interactive documents, confidential client of the sign-in by cookie.
DOCS_CLIENT = environ.get("DOCS_CLIENT", "demo-docs")
SESSION_CLIENT = environ.get("SESSION_CLIENT", "demo-bff")
SESSION_SECRET = environ.get("SESSION_SECRET", "demo-bff-secret")

SCOPES = {"items:read": "See your items", "items:write": "Create items", "admin": "Administer the API"}
