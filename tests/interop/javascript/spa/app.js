// An app in the browser as oidc-client-ts's documentation has it: redirect, tokens kept for the tab, renewal by refresh token.
/* global oidc */
const show = (state, user) => {
  document.getElementById('user').textContent = user ? JSON.stringify(user) : '';
  document.getElementById('state').textContent = state;
};
const attempt = (name, action) => document.getElementById(name).addEventListener('click', () => action().catch((failure) => show(`failed: ${failure.error ?? failure.message}`)));

async function start() {
  const { authority, clientId } = await (await fetch('/settings.json')).json();
  const manager = new oidc.UserManager({
    authority,
    client_id: clientId,
    redirect_uri: `${location.origin}/`,
    post_logout_redirect_uri: `${location.origin}/`,
    scope: 'openid profile email offline_access items:read',
    loadUserInfo: true,
    automaticSilentRenew: true,
  });
  manager.events.addUserLoaded((user) => show('signed in', user));
  manager.events.addSilentRenewError((failure) => show(`failed: ${failure.error ?? failure.message}`));
  attempt('sign-in', () => manager.signinRedirect());
  attempt('renew', () => manager.signinSilent());
  attempt('revoke', async () => {
    manager.stopSilentRenew();
    await manager.revokeTokens(['access_token', 'refresh_token']);
    show('revoked');
  });
  attempt('sign-out', () => {
    manager.stopSilentRenew();
    return manager.signoutRedirect();
  });

  const answer = new URLSearchParams(location.search);
  if (answer.has('state')) {
    try {
      if (answer.has('code') || answer.has('error')) await manager.signinCallback();
      else await manager.signoutCallback();
    } finally {
      history.replaceState(null, '', '/');
    }
  }
  const user = await manager.getUser();
  show(user ? 'signed in' : 'signed out', user);
}

start().catch((failure) => show(`failed: ${failure.error ?? failure.message}`));
