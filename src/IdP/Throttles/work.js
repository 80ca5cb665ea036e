// Work for a form with data-work: finds a number so that SHA-256 over challenge, full stop and number begins with enough nought bits, and
// puts it into the form. It begins when the page is there; whoever sends the form earlier waits for it.
(() => {
  'use strict';

  const work = document.querySelector('[data-work]');
  if (!work || !window.crypto?.subtle) return;
  const form = work.closest('form');
  const bits = Number(work.dataset.work);
  const challenge = form.elements.work.value;
  const working = work.querySelector('[data-working]');
  const encoder = new TextEncoder();
  const atOnce = 256;

  const isEnough = hash => {
    const bytes = new Uint8Array(hash);
    let left = bits;
    for (const byte of bytes) {
      if (left <= 0) return true;
      if (left >= 8 ? byte !== 0 : byte >> (8 - left) !== 0) return false;
      left -= 8;
    }
    return true;
  };

  const solve = async () => {
    for (let from = 0; ; from += atOnce) {
      const hashes = await Promise.all(Array.from({ length: atOnce }, (_, i) => crypto.subtle.digest('SHA-256', encoder.encode(`${challenge}.${from + i}`))));
      const found = hashes.findIndex(isEnough);
      if (found >= 0) return from + found;
    }
  };

  const done = solve().then(answer => {
    form.elements.work_answer.value = String(answer);
    working.hidden = true;
  });

  form.addEventListener('submit', event => {
    // Another button of the form leads elsewhere: it needs no work.
    if (form.elements.work_answer.value || event.submitter?.formNoValidate) return;
    event.preventDefault();
    working.hidden = false;
    done.then(() => form.requestSubmit(event.submitter));
  });
})();
