// A person at a browser without scripts: keeps cookies, follows redirects inside the provider, fills in its forms.

const decode = (text) => text.replace(/&(?:amp|lt|gt|quot|#(\d+)|#x([0-9a-f]+));/gi, (entity, decimal, hex) =>
  decimal || hex ? String.fromCodePoint(parseInt(decimal ?? hex, decimal ? 10 : 16)) : { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' }[entity.toLowerCase()]);
const attribute = (tag, name) => {
  const found = new RegExp(`\\s${name}="([^"]*)"`, 'i').exec(tag);
  return found ? decode(found[1]) : undefined;
};

/** The form that a button is in, or the first one: where it goes and what it holds. */
export function form(page, button) {
  const forms = [...page.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)];
  const found = button ? forms.find(([, , inside]) => inside.includes(`id="${button}"`)) : forms[0];
  if (!found) throw new Error(`No form${button ? ` with the button ${button}` : ''} in:\n${page}`);
  const fields = new URLSearchParams();
  for (const [tag] of found[2].matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(tag, 'name');
    if (name) fields.set(name, attribute(tag, 'value') ?? '');
  }
  const tag = button && new RegExp(`<button\\b[^>]*\\bid="${button}"[^>]*>`, 'i').exec(found[2])?.[0];
  return { action: (tag && attribute(tag, 'formaction')) ?? attribute(` ${found[1]}`, 'action') ?? '', fields };
}

export class Person {
  #cookies = new Map();
  #provider;
  #filled;

  /** The buttons that were pressed, in turn. */
  pressed = [];

  constructor(issuer, username, password) {
    this.#provider = new URL(issuer).origin;
    this.#filled = { username, password };
  }

  /** Goes where an app sends them, through sign-in and consent: the address, or for form_post the request, that the app gets. */
  async authorize(address, answer = 'consent-accept') {
    let [url, body] = [new URL(address), undefined];
    for (let steps = 0; steps < 12; steps++) {
      const response = await this.#send(url, body);
      if (response.status >= 300 && response.status < 400) {
        [url, body] = [new URL(response.headers.get('location'), url), undefined];
        if (url.origin !== this.#provider) return url;
        continue;
      }
      const page = await response.text();
      if (response.status !== 200) throw new Error(`${url.pathname} answered ${response.status}:\n${page}`);
      const button = ['login-submit', answer].find((id) => page.includes(`id="${id}"`));
      const { action, fields } = form(page, button);
      const target = new URL(action, url);
      if (target.origin !== this.#provider) return new Request(target, { method: 'POST', body: fields });
      if (!button) throw new Error(`A page that nobody expected at ${url.pathname}:\n${page}`);
      this.pressed.push(button);
      for (const [name, value] of Object.entries(this.#filled)) if (fields.has(name)) fields.set(name, value);
      [url, body] = [target, fields];
    }
    throw new Error(`The person was sent around in circles, lastly to ${url.origin}${url.pathname}`);
  }

  async #send(url, body) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { method: body ? 'POST' : 'GET', body, redirect: 'manual', headers: cookie ? { cookie } : {} });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value && !/;\s*max-age=0\b/i.test(line)) this.#cookies.set(name, value);
      else this.#cookies.delete(name);
    }
    return response;
  }
}
