// What pages gain with JavaScript: the centre's keyboard, and where focus goes after a part was exchanged.
// Keys are read by event.code, so that they work in the Greek layout too; nothing happens while someone types.
'use strict';

(() => {
  const GO_WAIT_MS = 1500;
  const central = document.body.classList.contains('page--central');
  let goUntil = 0;

  const typing = (target) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
  const rows = () => [...document.querySelectorAll('[data-row]')];
  const here = () => document.querySelector('[data-row].here');

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const now = all.indexOf(here());
    const next = all[Math.min(Math.max(now + step, 0), all.length - 1)];
    all.forEach((row) => row.classList.toggle('here', row === next));
    const link = next.querySelector('[data-open]');
    if (link) link.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
  }

  const press = (selector) => {
    const target = here()?.querySelector(selector);
    if (target) target.click();
    return Boolean(target);
  };

  const ACTS = {
    KeyJ: () => move(1),
    KeyK: () => move(-1),
    KeyA: () => press('[data-first]'),
    KeyX: () => press('input[type=checkbox]'),
    Slash: (event) => {
      if (event.shiftKey) document.getElementById('keys')?.showModal();
      else document.getElementById('search')?.focus();
    },
    KeyG: () => { goUntil = Date.now() + GO_WAIT_MS; },
  };

  if (central) {
    document.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
      if (Date.now() < goUntil) {
        goUntil = 0;
        const link = [...document.querySelectorAll('[data-go]')].find((item) => item.dataset.go === event.code);
        if (link) { event.preventDefault(); link.click(); return; }
      }
      // On an alert's own page a key is the verb that bears it: ack, escalate, close, undo.
      const verb = event.shiftKey ? null : document.querySelector(`[data-key="${event.code}"]`);
      const act = ACTS[event.code];
      if (!verb && !act) return;
      event.preventDefault();
      if (verb) verb.click();
      else act(event);
    });
  }

  // After htmx exchanged the page's main part, focus goes there, so that a screen reader hears what came.
  document.addEventListener('htmx:after:swap', () => {
    const main = document.getElementById('main');
    if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
  });
})();
