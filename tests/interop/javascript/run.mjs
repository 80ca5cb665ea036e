// What every script here starts from: the settings in the environment, and running the scenario that the command line names.
import { createHash } from 'node:crypto';

const setting = (name) => process.env[name] ?? (() => { throw new Error(`${name} is not set; see README.md`); })();

export const settings = {
  issuer: setting('IDP_ISSUER'),
  username: setting('IDP_USERNAME'),
  password: setting('IDP_PASSWORD'),
  audience: setting('API_AUDIENCE'),
  clientId: setting('CLIENT_ID'),
  clientSecret: process.env.CLIENT_SECRET,
  redirectUri: setting('REDIRECT_URI'),
  postLogoutRedirectUri: setting('POST_LOGOUT_REDIRECT_URI'),
};

/** OpenID Connect Core 3.1.3.6: the left half of the hash that the ID token's algorithm names. */
export const atHash = (accessToken) => createHash('sha256').update(accessToken, 'ascii').digest().subarray(0, 16).toString('base64url');

export async function run(scenarios) {
  const name = process.argv[2];
  if (!Object.hasOwn(scenarios, name)) throw new Error(`Usage: node ${process.argv[1]} ${Object.keys(scenarios).join(' | ')}`);
  await scenarios[name]();
  console.log(`${name}: done`);
}
