// node-oidc-provider as it comes, with one client and its own development pages: a provider that we did not write, for people to come from.
// PORT, CLIENT_ID, CLIENT_SECRET and REDIRECT_URI come from the environment. Any login name is accepted; it becomes the subject.
import Provider from 'oidc-provider';

const { PORT, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [REDIRECT_URI], response_types: ['code'], grant_types: ['authorization_code'] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@upstream.example`, email_verified: true, name: `${id} from upstream`, preferred_username: `${id}-upstream` }),
  }),
  cookies: { keys: ['only for tests'] },
});
provider.listen(Number(PORT), '127.0.0.1');
