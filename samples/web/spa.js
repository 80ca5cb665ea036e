// An app without a server: the public client demo-spa, code with PKCE and rotating refresh tokens, by oidc-client-ts.
const { UserManager, WebStorageStateStore } = window.oidc;
const byId = (id) => document.getElementById(id);
const address = `${location.origin}/spa.html`;
let manager;
let refreshes = 0;

function render(user) {
  byId('status').textContent = user ? `Signed in. Refreshed ${refreshes} times.` : 'You are not signed in.';
  byId('login').hidden = Boolean(user);
  byId('refresh').hidden = byId('logout').hidden = !user;
  const list = document.createElement('dl');
  for (const [name, value] of Object.entries(user?.profile ?? {})) {
    list.append(Object.assign(document.createElement('dt'), { textContent: name }), Object.assign(document.createElement('dd'), { textContent: typeof value === 'object' ? JSON.stringify(value) : value }));
  }
  byId('userinfo').replaceChildren(list);
}

async function attempt(action) {
  try {
    await action();
  } catch (failure) {
    render(null);
    byId('status').textContent = failure.message;
  }
}

byId('login').addEventListener('click', () => attempt(() => manager.signinRedirect()));
byId('refresh').addEventListener('click', () => attempt(async () => {
  const user = await manager.signinSilent();
  refreshes++;
  render(user);
}));
byId('logout').addEventListener('click', () => attempt(async () => {
  if (await manager.metadataService.getEndSessionEndpoint()) return manager.signoutRedirect();
  await manager.removeUser();
  render(null);
}));

attempt(async () => {
  const { issuer } = await (await fetch('/config.json')).json();
  manager = new UserManager({
    authority: issuer,
    client_id: 'demo-spa',
    redirect_uri: address,
    post_logout_redirect_uri: address,
    scope: 'openid profile email offline_access',
    loadUserInfo: true,
    automaticSilentRenew: false,
    userStore: new WebStorageStateStore({ store: sessionStorage }),
  });
  if (new URLSearchParams(location.search).has('state')) {
    // Back from the provider, signed in or signed out; the address is cleaned of what it brought.
    const answer = new URLSearchParams(location.search);
    try {
      if (answer.has('code') || answer.has('error')) await manager.signinRedirectCallback();
      else await manager.signoutRedirectCallback();
    } finally {
      history.replaceState({}, '', address);
    }
  }
  render(await manager.getUser());
});
