// An app in the browser (spa/) on an origin of its own, in Chromium: what the console says of CORS and content security policies counts.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { atHash, run, settings } from './run.mjs';

const origin = new URL(settings.redirectUri);
const file = (name) => new URL(name, import.meta.url);
const files = {
  '/': ['text/html', file('spa/index.html')],
  '/app.js': ['text/javascript', file('spa/app.js')],
  '/oidc-client-ts.js': ['text/javascript', file('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js')],
};

const app = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, origin);
  response.setHeader('Content-Security-Policy', `default-src 'none'; script-src 'self'; img-src data:; connect-src 'self' ${settings.issuer}`);
  response.setHeader('Referrer-Policy', 'no-referrer');
  if (pathname === '/settings.json') return response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ authority: settings.issuer, clientId: settings.clientId }));
  if (!files[pathname]) return response.writeHead(404).end();
  return response.setHeader('Content-Type', `${files[pathname][0]}; charset=utf-8`).end(await readFile(files[pathname][1]));
});

/** A page of the app in a new browser, and what went wrong in it. */
async function open(action) {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
  if (!executablePath) throw new Error('Chromium is missing: apt-get install chromium');
  await new Promise((resolve) => { app.listen(Number(origin.port), origin.hostname, resolve); });
  // Chromium's sandbox needs a user that is not root.
  const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [], timeout: 120_000 });
  const problems = [];
  try {
    // The provider of the tests has a certificate that nobody has signed.
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    page.setDefaultTimeout(90_000);
    page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) problems.push(`${message.type()}: ${message.text()}`); });
    page.on('pageerror', (failure) => problems.push(`exception: ${failure.message}`));
    page.on('requestfailed', (request) => problems.push(`no answer: ${request.method()} ${request.url().split('?')[0]} ${request.failure()?.errorText}`));
    await page.goto(origin.href);
    await state(page, 'signed out');
    await action(page, problems);
  } catch (failure) {
    console.error('Problems in the browser:', problems);
    throw failure;
  } finally {
    await browser.close();
    app.closeAllConnections();
    app.close();
  }
}

/** Waits until the app says this; when it says that something failed, that is the answer. */
async function state(page, expected) {
  await page.waitForFunction((text) => [text, 'failed'].some((start) => document.getElementById('state')?.textContent.startsWith(start)), expected);
  assert.equal(await page.locator('#state').innerText(), expected);
}

const user = async (page) => JSON.parse(await page.locator('#user').innerText());

async function signIn(page, press = 'consent-accept') {
  await page.click('#sign-in');
  await page.fill('#username', settings.username);
  await page.fill('#password', settings.password);
  await page.click('#login-submit');
  await page.click(`#${press}`);
}

await run({
  'sign-in': () => open(async (page, problems) => {
    await signIn(page);
    await state(page, 'signed in');
    const first = await user(page);
    assert.equal(first.profile.email, 'carol@example.com');
    assert.equal(first.profile.iss, settings.issuer);
    const claims = JSON.parse(Buffer.from(first.id_token.split('.')[1], 'base64url'));
    assert.equal(claims.at_hash, atHash(first.access_token));
    // Only userinfo has it: it was read across origins.
    assert.equal(claims.email, undefined);

    await page.reload();
    await state(page, 'signed in');
    assert.equal((await user(page)).profile.sub, first.profile.sub);
    assert.deepEqual(problems, []);
  }),

  // The client's tokens live for 62 seconds and the library renews a minute before they end, so nobody has to press a button.
  renewal: () => open(async (page, problems) => {
    await signIn(page);
    await state(page, 'signed in');
    const seen = [await user(page)];
    for (let i = 0; i < 2; i++) {
      await page.waitForFunction((old) => {
        const text = document.getElementById('user').textContent;
        return document.getElementById('state').textContent.startsWith('failed') || (text && JSON.parse(text).access_token !== old);
      }, seen.at(-1).access_token);
      await state(page, 'signed in');
      seen.push(await user(page));
    }
    assert.equal(new Set(seen.map((one) => one.access_token)).size, 3);
    assert.equal(new Set(seen.map((one) => one.refresh_token)).size, 3, 'refresh tokens of a public client rotate');
    for (const one of seen) assert.equal(one.profile.sub, seen[0].profile.sub);
    assert.deepEqual(problems, []);
  }),

  refusal: () => open(async (page, problems) => {
    await signIn(page, 'consent-deny');
    await state(page, 'failed: access_denied');
    assert.deepEqual(problems, []);
  }),

  revocation: () => open(async (page, problems) => {
    await signIn(page);
    await state(page, 'signed in');
    await page.click('#revoke');
    await state(page, 'revoked');
    assert.deepEqual(problems, []);
    // Signed in at the provider still; an app that anybody may pretend to be (RFC 8252 8.6) is asked about each time.
    await page.click('#sign-in');
    await page.click('#consent-accept');
    await state(page, 'signed in');
    assert.deepEqual(problems, []);
  }),

  'sign-out': () => open(async (page, problems) => {
    await signIn(page);
    await state(page, 'signed in');
    await page.click('#sign-out');
    await state(page, 'signed out');
    assert.equal(page.url(), origin.href);
    await page.click('#sign-in');
    await page.locator('#username').waitFor();
    assert.deepEqual(problems, []);
  }),
});
