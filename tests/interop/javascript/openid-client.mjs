// openid-client signs a person in and does with the tokens what an app does with them.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Person } from './person.mjs';
import { atHash, run, settings } from './run.mjs';

const scope = 'openid profile email offline_access items:read';

async function discover() {
  const config = await client.discovery(new URL(settings.issuer), settings.clientId, settings.clientSecret);
  // By default the library trusts the TLS connection that an ID token came over; this has it check signatures too.
  client.enableNonRepudiationChecks(config);
  return config;
}

/** One request of its own: verifier, state and nonce are used once. */
async function prepare(more = {}) {
  const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState(), expectedNonce: client.randomNonce(), idTokenExpected: true };
  const parameters = {
    redirect_uri: settings.redirectUri, scope, state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256', ...more,
  };
  return { checks, parameters };
}

const person = () => new Person(settings.issuer, settings.username, settings.password);

async function signIn(config, more) {
  const { checks, parameters } = await prepare(more);
  const callback = await person().authorize(client.buildAuthorizationUrl(config, parameters));
  return { tokens: await client.authorizationCodeGrant(config, callback, checks), callback, checks };
}

async function refused(promise, ...errors) {
  const failure = await promise.then(() => assert.fail('It was accepted'), (reason) => reason);
  assert.ok(errors.includes(failure.error ?? failure.code), `${failure.name} ${failure.code}: ${failure.message}`);
  return failure;
}

await run({
  async 'sign-in'() {
    const config = await discover();
    assert.ok(config.serverMetadata().supportsPKCE());
    const { tokens, callback } = await signIn(config);
    assert.equal(callback.searchParams.get('iss'), settings.issuer);

    const { payload, protectedHeader } = await jwtVerify(tokens.id_token, createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri)),
      { issuer: settings.issuer, audience: settings.clientId, requiredClaims: ['exp', 'iat', 'auth_time', 'nonce', 'at_hash', 'sid', 'acr', 'amr'] });
    assert.equal(protectedHeader.alg, 'RS256');
    assert.deepEqual(payload, tokens.claims());
    assert.equal(payload.at_hash, atHash(tokens.access_token));

    const userinfo = await client.fetchUserInfo(config, tokens.access_token, payload.sub);
    assert.equal(userinfo.email, 'carol@example.com');
    assert.equal(userinfo.email_verified, true);
    assert.equal(userinfo.name, 'Carol Interop');

    const seen = await client.tokenIntrospection(config, tokens.access_token);
    assert.equal(seen.active, true);
    assert.equal(seen.sub, payload.sub);

    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token, { scope: 'openid items:read' });
    assert.equal(fresh.claims().sub, payload.sub);
    assert.equal(fresh.claims().auth_time, payload.auth_time);
    assert.equal(fresh.scope, 'openid items:read');

    await client.tokenRevocation(config, tokens.refresh_token, { token_type_hint: 'refresh_token' });
    await refused(client.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant');
    assert.equal((await client.tokenIntrospection(config, fresh.access_token)).active, false);
  },

  async 'form-post'() {
    const config = await discover();
    const { checks, parameters } = await prepare({ response_mode: 'form_post' });
    const request = await person().authorize(client.buildAuthorizationUrl(config, parameters));
    assert.ok(request instanceof Request);
    assert.equal(request.url, settings.redirectUri);
    const tokens = await client.authorizationCodeGrant(config, request, checks);
    assert.equal(tokens.claims().nonce, checks.expectedNonce);
  },

  async pushed() {
    const config = await discover();
    const { checks, parameters } = await prepare();
    const address = await client.buildAuthorizationUrlWithPAR(config, parameters);
    assert.deepEqual([...address.searchParams.keys()].sort(), ['client_id', 'request_uri']);
    const tokens = await client.authorizationCodeGrant(config, await person().authorize(address), checks);
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).email, 'carol@example.com');
  },

  async 'single-sign-on'() {
    const config = await discover();
    const someone = person();
    const authorize = async (more, checks = {}) => {
      someone.pressed = [];
      const request = await prepare(more);
      const callback = await someone.authorize(client.buildAuthorizationUrl(config, request.parameters));
      return (await client.authorizationCodeGrant(config, callback, { ...request.checks, ...checks })).claims();
    };
    const first = await authorize();
    assert.equal(someone.pressed[0], 'login-submit');
    const silent = await authorize({ prompt: 'none', max_age: '3600', scope: 'openid profile' }, { maxAge: 3600 });
    assert.deepEqual(someone.pressed, []);
    assert.deepEqual([silent.sub, silent.sid, silent.auth_time], [first.sub, first.sid, first.auth_time]);
    const forced = await authorize({ prompt: 'login', max_age: '0' }, { maxAge: 0 });
    assert.equal(someone.pressed[0], 'login-submit');
    assert.ok(forced.auth_time >= first.auth_time);
  },

  async refusals() {
    const config = await discover();
    const denied = await prepare({ prompt: 'consent' });
    const callback = await person().authorize(client.buildAuthorizationUrl(config, denied.parameters), 'consent-deny');
    await refused(client.authorizationCodeGrant(config, callback, denied.checks), 'access_denied');

    const nobody = await prepare({ prompt: 'none' });
    await refused(client.authorizationCodeGrant(config, await person().authorize(client.buildAuthorizationUrl(config, nobody.parameters)), nobody.checks), 'login_required');

    const other = await prepare();
    const good = await person().authorize(client.buildAuthorizationUrl(config, other.parameters));
    // RFC 9207: an answer of another provider, or one that does not say whose it is, is refused before the code goes anywhere.
    for (const change of [(p) => p.set('iss', 'https://evil.example'), (p) => p.delete('iss'), (p) => p.set('state', 'another')]) {
      const forged = new URL(good);
      change(forged.searchParams);
      await refused(client.authorizationCodeGrant(config, forged, other.checks), 'OAUTH_INVALID_RESPONSE');
    }
    await refused(client.authorizationCodeGrant(config, good, { ...other.checks, pkceCodeVerifier: client.randomPKCECodeVerifier() }), 'invalid_grant');
    await refused(client.authorizationCodeGrant(config, good, { ...other.checks, expectedNonce: 'another' }), 'OAUTH_JWT_CLAIM_COMPARISON_FAILED', 'OAUTH_INVALID_RESPONSE');
    const stranger = await client.discovery(new URL(settings.issuer), settings.clientId, 'not-its-secret');
    await refused(client.clientCredentialsGrant(stranger), 'invalid_client', 'OAUTH_WWW_AUTHENTICATE_CHALLENGE');
  },

  async 'sign-out'() {
    const config = await discover();
    const [someone, first] = [person(), await prepare({ scope: 'openid profile' })];
    const tokens = await client.authorizationCodeGrant(config, await someone.authorize(client.buildAuthorizationUrl(config, first.parameters)), first.checks);
    const state = client.randomState();
    const end = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: settings.postLogoutRedirectUri, state });
    const back = await someone.authorize(end);
    assert.equal(back.href.split('?')[0], settings.postLogoutRedirectUri);
    assert.equal(back.searchParams.get('state'), state);
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false);
    const after = await prepare({ prompt: 'none' });
    await refused(client.authorizationCodeGrant(config, await someone.authorize(client.buildAuthorizationUrl(config, after.parameters)), after.checks), 'login_required');
  },
});
