// Clicks through the interactive documents as a person does: Authorize, password, scopes, then one protected call.
// Usage: node authorize-form.mjs DOCS-URL USER PASSWORD [SCREENSHOT-FOLDER]; prints {"authorized":...,"status":...,"body":...}
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, user, password, pictures] = process.argv.slice(2);
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
if (!executablePath) throw new Error('Chromium is missing: apt-get install chromium');

// Chromium's sandbox needs a user that is not root.
const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  const picture = async (name) => { if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` }); };

  await page.goto(url);
  await page.click('button.authorize');
  const dialog = page.locator('.auth-container').first();
  await dialog.locator('input#oauth_username').fill(user);
  await dialog.locator('input#oauth_password').fill(password);
  for (const scope of ['items:read', 'items:write']) await dialog.locator(`label:has-text("${scope}")`).first().click();
  await picture('1-form');
  await dialog.locator('button.authorize').click();
  // The form shows either a way to log out again or what went wrong.
  await page.locator('.auth-container button:has-text("Logout"), .auth-container .errors').first().waitFor();
  await picture('2-answer');
  const authorized = await page.locator('.auth-container button:has-text("Logout")').count() > 0;
  let status = 0, body = authorized ? '' : await dialog.locator('.errors').first().innerText();
  if (authorized) {
    await page.click('.dialog-ux button.btn-done');
    await page.click('.opblock-get .opblock-summary');
    await page.click('.opblock-get button.try-out__btn');
    const answer = page.waitForResponse((response) => response.url().endsWith('/items'));
    await page.click('.opblock-get button.execute');
    status = (await answer).status();
    body = await (await answer).text();
    await picture('3-call');
  }
  console.log(JSON.stringify({ authorized, status, body }));
} finally {
  await browser.close();
}
