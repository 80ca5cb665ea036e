// The sample API in express: /local checks tokens itself with the provider's keys, /introspected asks the provider each time.
import express from 'express';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const issuer = process.env.IDP_ISSUER ?? 'http://localhost:8080';
const audience = process.env.API_AUDIENCE ?? 'urn:demo:api';
const credentials = [process.env.API_CLIENT_ID ?? 'demo-api', process.env.API_CLIENT_SECRET ?? 'demo-api-secret'];
const port = Number(process.env.PORT ?? 7003);

// The token's claims, or undefined when it does not count. What fails for another reason is thrown, and answered 503.
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
async function local(token) {
  try {
    // typ: an ID token is signed with the same keys, but is no access token (RFC 9068 §4).
    const { payload } = await jwtVerify(token, keys, {
      issuer, audience, typ: 'at+jwt', algorithms: ['ES256', 'RS256', 'PS256'], requiredClaims: ['exp', 'sub'],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && error.code !== 'ERR_JOSE_GENERIC') return undefined;
    throw error;
  }
}

const basic = 'Basic ' + Buffer.from(credentials.map(encodeURIComponent).join(':')).toString('base64');
async function introspected(token) {
  const answer = await fetch(`${issuer}/connect/introspect`, {
    method: 'POST', headers: { Authorization: basic }, body: new URLSearchParams({ token }), signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new Error(`The provider answers ${answer.status} to introspection.`);
  const claims = await answer.json();
  // An API key is introspected like a token, but it is none.
  return claims.active && claims.token_type === 'Bearer' && [claims.aud].flat().includes(audience) ? claims : undefined;
}

// Middleware: who calls is proved by `check` and may do what `scope` names. RFC 6750 §3.1: 401 without a valid token, 403 without the scope.
const realm = `Bearer realm="${audience}"`;
const requireScope = (check, scope) => async (request, response, next) => {
  const sent = request.headersDistinct.authorization ?? [];
  if (sent.length > 1) return refuse(response, 400, `${realm}, error="invalid_request"`, 'More than one Authorization header.');
  const token = /^bearer +(\S+)$/i.exec(sent[0] ?? '')?.[1];
  if (!token) return refuse(response, 401, realm, 'A bearer token is required.');
  const claims = await check(token);
  if (!claims) return refuse(response, 401, `${realm}, error="invalid_token"`, 'The token is not valid.');
  if (!(claims.scope ?? '').split(' ').includes(scope)) {
    return refuse(response, 403, `${realm}, error="insufficient_scope", scope="${scope}"`, `Needs the scope ${scope}.`);
  }
  request.caller = claims;
  next();
};

function refuse(response, status, challenge, title) {
  response.status(status).set('WWW-Authenticate', challenge).type('application/problem+json').send(JSON.stringify({ status, title }));
}

const app = express().disable('x-powered-by');
const items = [{ id: 1, name: 'a lamp', createdBy: 'the sample' }];
for (const check of [local, introspected]) {
  app.get(`/${check.name}/items`, requireScope(check, 'items:read'), (request, response) => response.json(items));
  app.post(`/${check.name}/items`, requireScope(check, 'items:write'), express.json(), (request, response) => {
    const name = request.body?.name;
    if (typeof name !== 'string' || !name || name.length > 100 || items.length >= 1000) return response.sendStatus(400);
    items.push({ id: items.length + 1, name, createdBy: request.caller.sub });
    response.status(201).json(items.at(-1));
  });
}
app.get('/', (request, response) => response.json({ items: ['/local/items', '/introspected/items'] }));
app.use((error, request, response, next) => {
  if (error.status) return response.sendStatus(error.status);
  console.error(error.message);
  response.status(503).type('application/problem+json').send(JSON.stringify({ status: 503, title: 'The provider gives no answer.' }));
});

app.listen(port, process.env.HOST ?? '127.0.0.1', () => console.log(`Listening on http://localhost:${port}`));
