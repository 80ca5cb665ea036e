// Passkeys (WebAuthn): a form with data-passkey="get" or "create" gets a question from data-options, has the browser answer it, and posts
// the answer in its field "credential" like any other form. Without this script, or without passkeys in the browser, the form stays hidden.
(() => {
  'use strict';

  const form = document.querySelector('form[data-passkey]');
  if (!form || !window.PublicKeyCredential || !navigator.credentials) return;
  const creates = form.dataset.passkey === 'create';
  const problem = form.querySelector('[data-problem]');
  // Questions are good for five minutes; one that waits for autofill is renewed before.
  const renewal = 4 * 60 * 1000;
  let waiting = null;

  const toText = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const toBytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
  const withBytes = list => (list ?? []).map(entry => ({ ...entry, id: toBytes(entry.id) }));

  const question = async () => {
    const answer = await fetch(form.dataset.options, { method: 'POST', body: new URLSearchParams(new FormData(form)), headers: { Accept: 'application/json' }, redirect: 'error' });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    const options = await answer.json();
    options.challenge = toBytes(options.challenge);
    if (options.user) options.user.id = toBytes(options.user.id);
    options.excludeCredentials = withBytes(options.excludeCredentials);
    options.allowCredentials = withBytes(options.allowCredentials);
    return options;
  };

  const post = credential => {
    const { response } = credential;
    const answer = { clientDataJSON: toText(response.clientDataJSON) };
    if (creates) {
      answer.attestationObject = toText(response.attestationObject);
      answer.transports = response.getTransports?.() ?? [];
    } else {
      answer.authenticatorData = toText(response.authenticatorData);
      answer.signature = toText(response.signature);
      if (response.userHandle) answer.userHandle = toText(response.userHandle);
    }
    form.elements.credential.value = JSON.stringify({
      id: credential.id, rawId: toText(credential.rawId), type: credential.type, clientExtensionResults: {}, response: answer,
    });
    HTMLFormElement.prototype.submit.call(form);
  };

  const ask = async mediation => {
    waiting?.abort();
    const mine = waiting = new AbortController();
    const publicKey = await question();
    const request = { publicKey, signal: mine.signal };
    if (mediation) request.mediation = mediation;
    const credential = await (creates ? navigator.credentials.create(request) : navigator.credentials.get(request));
    if (credential) post(credential);
  };

  const autofill = () => ask('conditional').catch(() => { });

  form.addEventListener('submit', event => {
    event.preventDefault();
    problem.hidden = true;
    ask().catch(() => {
      problem.hidden = false;
      if (offersAutofill) autofill();
    });
  });

  let offersAutofill = false;
  form.hidden = false;
  document.querySelectorAll('[data-unsupported]').forEach(element => { element.hidden = true; });
  if (creates) return;

  PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable?.().then(can => {
    const field = document.querySelector('input[name=passkeys]');
    if (can && field) field.value = '1';
  }).catch(() => { });
  PublicKeyCredential.isConditionalMediationAvailable?.().then(can => {
    if (!can) return;
    offersAutofill = true;
    autofill();
    setInterval(autofill, renewal);
  }).catch(() => { });
})();
