// A web app that signs people in with the identity provider: authorization code with PKCE, userinfo, refresh, sign-out.
// The protocol is openid-client's work; this file keeps the app's own session and shows what came of it.
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as oidc from 'openid-client';

const issuer = new URL(process.env.ISSUER ?? 'http://localhost:8080');
const clientId = process.env.CLIENT_ID ?? 'demo-web';
const clientSecret = process.env.CLIENT_SECRET ?? 'demo-web-secret';
const port = Number(process.env.PORT ?? 7200);
const origin = `http://localhost:${port}`;
const scope = 'openid profile email offline_access items:read';

const files = {
  '/style.css': [new URL('style.css', import.meta.url), 'text/css'],
  '/spa.html': [new URL('spa.html', import.meta.url), 'text/html; charset=utf-8'],
  '/spa.js': [new URL('spa.js', import.meta.url), 'text/javascript'],
  '/oidc-client-ts.js': [new URL('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url), 'text/javascript'],
};

// The provider's metadata, read when it is first needed and again after a failure, so that either may start first.
let discovered;
function provider() {
  // Plain http is for a demo on this machine alone.
  const execute = issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
  discovered ??= oidc.discovery(issuer, clientId, undefined, oidc.ClientSecretBasic(clientSecret), { execute });
  return discovered.catch((failure) => {
    discovered = undefined;
    throw failure;
  });
}

const sessions = new Map();
const sessionOf = (request) => sessions.get(/(?:^|; )sample_session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]);
function begin(response, content) {
  const id = randomBytes(32).toString('base64url');
  sessions.set(id, { id, ...content });
  response.setHeader('Set-Cookie', `sample_session=${id}; HttpOnly; SameSite=Lax; Path=/`);
}

const routes = {
  'GET /': async (request, response) => send(response, home(sessionOf(request))),

  'POST /login': async (request, response) => {
    const config = await provider();
    const attempt = { verifier: oidc.randomPKCECodeVerifier(), state: oidc.randomState(), nonce: oidc.randomNonce() };
    begin(response, { attempt });
    redirect(response, oidc.buildAuthorizationUrl(config, {
      redirect_uri: `${origin}/callback`,
      scope,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(attempt.verifier),
      code_challenge_method: 'S256',
    }));
  },

  'GET /callback': async (request, response) => {
    const session = sessionOf(request);
    if (!session?.attempt) return redirect(response, '/');
    const { verifier, state, nonce } = session.attempt;
    sessions.delete(session.id);
    const config = await provider();
    const tokens = await oidc.authorizationCodeGrant(config, new URL(request.url, origin), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce });
    // A new id: the one from before the sign-in may be known to somebody else.
    begin(response, await signedIn(config, tokens, 0));
    redirect(response, '/');
  },

  'POST /refresh': async (request, response) => {
    const session = sessionOf(request);
    if (!session?.tokens) return redirect(response, '/');
    const config = await provider();
    const tokens = await oidc.refreshTokenGrant(config, session.tokens.refresh_token);
    // A provider that does not rotate sends no new one: the old one stays good.
    Object.assign(session, await signedIn(config, { ...session.tokens, ...tokens }, session.refreshes + 1, session.claims));
    redirect(response, '/');
  },

  'POST /logout': async (request, response) => {
    const session = sessionOf(request);
    sessions.delete(session?.id);
    response.setHeader('Set-Cookie', 'sample_session=; Max-Age=0; HttpOnly; SameSite=Lax; Path=/');
    const config = await provider();
    // Out of this app only, where the provider has no sign-out.
    if (!session?.tokens || !config.serverMetadata().end_session_endpoint) return redirect(response, '/');
    redirect(response, oidc.buildEndSessionUrl(config, { id_token_hint: session.tokens.id_token, post_logout_redirect_uri: `${origin}/` }));
  },

  'GET /config.json': async (request, response) => send(response, JSON.stringify({ issuer: issuer.href.replace(/\/$/, '') }), 'application/json'),
};

async function signedIn(config, tokens, refreshes, claims) {
  claims = tokens.claims?.() ?? claims;
  return { tokens, claims, refreshes, userInfo: await oidc.fetchUserInfo(config, tokens.access_token, claims.sub) };
}

function home(session) {
  if (!session?.tokens) {
    return page('Sample web app', `
      <p>You are not signed in.</p>
      <form method="post" action="/login"><button id="login">Sign in</button></form>
      <p>The same without a server of its own: <a href="/spa.html">an app in the browser</a>.</p>`);
  }
  const list = (values) => `<dl>${Object.entries(values).map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(typeof value === 'object' ? JSON.stringify(value) : String(value))}</dd>`).join('')}</dl>`;
  return page(`Hello, ${session.userInfo.name ?? session.userInfo.sub}`, `
    <p>Refreshed <output id="refreshes">${session.refreshes}</output> times. The access token lives for ${escape(session.tokens.expires_in)} seconds and is good for ${escape(session.tokens.scope)}.</p>
    <div class="row">
      <form method="post" action="/refresh"><button id="refresh">Refresh the tokens</button></form>
      <form method="post" action="/logout"><button id="logout">Sign out</button></form>
    </div>
    <h2>What userinfo says</h2><div id="userinfo">${list(session.userInfo)}</div>
    <h2>What the ID token says</h2><div id="claims">${list(session.claims)}</div>`);
}

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const page = (title, body) => `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head><body><main><h1>${escape(title)}</h1>${body}</main></body></html>`;

function send(response, body, type = 'text/html; charset=utf-8', status = 200) {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }).end(body);
}
function redirect(response, address) {
  response.writeHead(303, { Location: String(address) }).end();
}

createServer(async (request, response) => {
  try {
    const path = new URL(request.url, origin).pathname;
    const handler = routes[`${request.method} ${path}`];
    if (handler) await handler(request, response);
    else if (request.method === 'GET' && files[path]) send(response, await readFile(files[path][0]), files[path][1]);
    else send(response, page('Not found', '<p><a href="/">Back</a></p>'), undefined, 404);
  } catch (failure) {
    // What the provider says of a request is for the developer: error, error_description.
    console.error(failure);
    const reason = failure.error ? `${failure.error}: ${failure.error_description ?? ''}` : failure.message;
    send(response, page('That did not work', `<p id="problem">${escape(reason)}</p><p><a href="/">Start again</a></p>`), undefined, 502);
  }
}).listen(port, 'localhost', () => console.log(`The sample web app is at ${origin} and signs in with ${issuer.href}`));
