// Clicks through the documents of samples/fastapi as a person does: Authorize by one flow, then one protected call.
// Usage: node sample-docs.mjs DOCS-URL FLOW NAME SECRET; FLOW is authorizationCode or password (NAME and SECRET are a person's) or
// clientCredentials (a client's). Prints {"status":...,"body":...}
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, flow, name, secret] = process.argv.slice(2);
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
if (!executablePath) throw new Error('Chromium is missing: apt-get install chromium');

// Chromium's sandbox needs a user that is not root.
const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(url);
  await page.click('.auth-wrapper button.authorize');
  const form = page.locator('.auth-container', { hasText: `Flow: ${flow}` });
  if (flow === 'password') {
    await form.locator('#oauth_username').fill(name);
    await form.locator('#oauth_password').fill(secret);
  } else if (flow === 'clientCredentials') {
    await form.locator(`#client_id_${flow}`).fill(name);
    await form.locator(`#client_secret_${flow}`).fill(secret);
  }
  await form.locator('label', { hasText: 'items:read' }).first().click();
  const opened = flow === 'authorizationCode' ? page.waitForEvent('popup') : undefined;
  await form.locator('button.authorize').click();
  const popup = await opened;
  if (popup) {
    await popup.fill('[name=username]', name);
    await popup.fill('[name=password]', secret);
    await popup.click('#login-submit');
    // The provider asks for consent, then the redirect page hands the code over and closes.
    await Promise.all([popup.waitForEvent('close'), popup.click('#consent-accept')]);
  }
  await page.locator('.auth-container button:has-text("Logout"), .auth-container .errors').first().waitFor();
  const errors = page.locator('.auth-container .errors');
  if (await errors.count()) throw new Error(await errors.first().innerText());

  await page.locator('.dialog-ux button.btn-done').first().click();
  const operation = page.locator('.opblock-get', { has: page.locator('[data-path="/local/items"]') });
  await operation.locator('.opblock-summary').click();
  await operation.locator('button.try-out__btn').click();
  const called = page.waitForResponse((response) => response.url().endsWith('/local/items'));
  await operation.locator('button.execute').click();
  const answer = await called;
  console.log(JSON.stringify({ status: answer.status(), body: await answer.text() }));
} finally {
  await browser.close();
}
