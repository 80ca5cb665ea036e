// oauth4webapi, step by step: every answer of the provider goes through its processing, which refuses what the specifications do not allow.
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { Person } from './person.mjs';
import { atHash, run, settings } from './run.mjs';

const issuer = new URL(settings.issuer);
const client = { client_id: settings.clientId };
// RFC 6749 2.3.1: the library form-encodes id and secret before they go into the header.
const authentication = settings.clientSecret ? oauth.ClientSecretBasic(settings.clientSecret) : oauth.None();
const person = () => new Person(settings.issuer, settings.username, settings.password);

const discover = async (algorithm = 'oidc') => oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm }));

async function prepare(more = {}) {
  const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
  const parameters = new URLSearchParams({
    client_id: client.client_id, redirect_uri: settings.redirectUri, response_type: 'code', scope: 'openid email offline_access items:read', state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...more,
  });
  return { verifier, state, nonce, parameters };
}

const address = (server, parameters) => new URL(`${server.authorization_endpoint}?${parameters}`);

async function redeem(server, callback, { verifier, state, nonce }) {
  const parameters = oauth.validateAuthResponse(server, client, callback, state);
  const response = await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, settings.redirectUri, verifier);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(server, response);
  return tokens;
}

async function userinfo(server, tokens, sub) {
  const response = await oauth.userInfoRequest(server, client, tokens.access_token);
  const claims = await oauth.processUserInfoResponse(server, client, sub, response);
  if (client.userinfo_signed_response_alg) await oauth.validateApplicationLevelSignature(server, response);
  return claims;
}

async function refresh(server, token, more) {
  const response = await oauth.refreshTokenGrantRequest(server, client, authentication, token, { additionalParameters: more });
  const tokens = await oauth.processRefreshTokenResponse(server, client, response);
  if (tokens.id_token) await oauth.validateApplicationLevelSignature(server, response);
  return tokens;
}

const introspect = async (server, token) =>
  oauth.processIntrospectionResponse(server, client, await oauth.introspectionRequest(server, client, authentication, token));

const revoke = async (server, token) => oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, token));

/** What an API does that this library protects: RFC 9068 validation by issuer, keys and audience. */
const atTheApi = (server, token, audience) =>
  oauth.validateJwtAccessToken(server, new Request('https://api.example/items', { headers: { authorization: `Bearer ${token}` } }), audience);

async function wholeLife(server, tokens) {
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  assert.equal(claims.at_hash, atHash(tokens.access_token));
  assert.equal((await userinfo(server, tokens, claims.sub)).email, 'carol@example.com');
  const access = await atTheApi(server, tokens.access_token, settings.audience);
  assert.equal(access.client_id, client.client_id);
  assert.equal(access.sub, claims.sub);
  await assert.rejects(atTheApi(server, tokens.access_token, 'urn:interop:other'), { name: 'OperationProcessingError' });

  const fresh = await refresh(server, tokens.refresh_token);
  assert.equal(oauth.getValidatedIdTokenClaims(fresh).sub, claims.sub);
  assert.equal((await introspect(server, fresh.access_token)).active, true);
  await revoke(server, fresh.refresh_token ?? tokens.refresh_token);
  assert.equal((await introspect(server, fresh.access_token)).active, false);
  await assert.rejects(refresh(server, fresh.refresh_token ?? tokens.refresh_token), { name: 'ResponseBodyError', error: 'invalid_grant', status: 400 });
  return fresh;
}

await run({
  async 'sign-in'() {
    const server = await discover();
    assert.equal(server.authorization_response_iss_parameter_supported, true);
    const request = await prepare();
    const tokens = await redeem(server, await person().authorize(address(server, request.parameters)), request);
    await wholeLife(server, tokens);
  },

  // RFC 8414's address gives the same server.
  async 'oauth-discovery'() {
    const server = await discover('oauth2');
    assert.deepEqual(server, await discover());
  },

  // A client with rotation, pushed requests only, ES256 ID tokens and signed userinfo.
  async strict() {
    Object.assign(client, { id_token_signed_response_alg: 'ES256', userinfo_signed_response_alg: 'PS256', require_auth_time: true, default_max_age: 600 });
    const server = await discover();
    const plain = await prepare();
    const refusal = await person().authorize(address(server, plain.parameters));
    assert.throws(() => oauth.validateAuthResponse(server, client, refusal, plain.state), { name: 'AuthorizationResponseError', error: 'invalid_request' });

    const request = await prepare({ max_age: '600' });
    const pushed = await oauth.processPushedAuthorizationResponse(server, client, await oauth.pushedAuthorizationRequest(server, client, authentication, request.parameters));
    assert.ok(pushed.expires_in > 0);
    const callback = await person().authorize(address(server, new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri })));
    const tokens = await redeem(server, callback, request);
    const fresh = await wholeLife(server, tokens);
    assert.ok(fresh.refresh_token);
    assert.notEqual(fresh.refresh_token, tokens.refresh_token);
  },

  async 'client-authentication'() {
    const server = await discover();
    const [request, wrong] = [await prepare(), oauth.ClientSecretBasic('not its secret')];
    const parameters = oauth.validateAuthResponse(server, client, await person().authorize(address(server, request.parameters)), request.state);
    const refusal = await oauth.authorizationCodeGrantRequest(server, client, wrong, parameters, settings.redirectUri, request.verifier);
    assert.equal(refusal.status, 401);
    await assert.rejects(oauth.processAuthorizationCodeResponse(server, client, refusal), (failure) =>
      failure.name === 'WWWAuthenticateChallengeError' && failure.cause.some((challenge) => challenge.scheme === 'basic'));
    // The code has survived the stranger.
    const response = await oauth.authorizationCodeGrantRequest(server, client, oauth.ClientSecretPost(settings.clientSecret), parameters, settings.redirectUri, request.verifier);
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, { expectedNonce: request.nonce, requireIdToken: true });
    assert.equal((await introspect(server, tokens.access_token)).active, true);
    // RFC 6749 4.1.2: used twice, it takes back what it gave.
    const again = await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, settings.redirectUri, request.verifier);
    await assert.rejects(oauth.processAuthorizationCodeResponse(server, client, again, { expectedNonce: request.nonce }), { name: 'ResponseBodyError', error: 'invalid_grant' });
    assert.equal((await introspect(server, tokens.access_token)).active, false);
  },
});
