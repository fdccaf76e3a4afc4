// A page renews itself when something happens. Without this file every page works: it is opened again by hand.
"use strict";
(() => {
  const about = document.body.dataset.news, main = document.getElementById("main"), bar = document.getElementById("news");
  if (!about || !main || !window.EventSource) return;
  const RESTS_AFTER = 30 * 60 * 1000, APART = 3000;
  let source = null, touched = Date.now(), renewed = 0, planned = 0, opened = 0;

  const differs = (field) => field.type === "hidden" ? false
    : field.tagName === "SELECT" ? [...field.options].some((one) => one.selected !== one.defaultSelected) && field.selectedIndex > 0
    : field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.value !== field.defaultValue;
  // A form that somebody types in, or stands in, is never replaced under their hands.
  const typing = () => [...main.querySelectorAll("input, textarea, select")].some(differs)
    || (main.contains(document.activeElement) && document.activeElement.closest("form") !== null);

  const nameOf = (one, of) => [...main.querySelectorAll(of)].filter((two) => two.textContent === one.textContent).indexOf(one)
    + "/" + one.textContent;
  const named = (name, of) => [...main.querySelectorAll(of)].find((one) => nameOf(one, of) === name);

  const renew = async () => {
    planned = 0;
    if (typing()) { bar.hidden = false; return; }
    renewed = Date.now();
    const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
    if (!answer || !answer.ok || answer.redirected) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    if (!next) return;
    if (typing()) { bar.hidden = false; return; }
    const open = [...main.querySelectorAll("details[open] > summary")].map((one) => nameOf(one, "summary"));
    const at = main.contains(document.activeElement) ? nameOf(document.activeElement, "a, summary, button") : "";
    main.replaceChildren(...next.childNodes);
    for (const name of open) { const found = named(name, "summary"); if (found) found.parentElement.open = true; }
    if (at) { const found = named(at, "a, summary, button"); if (found) found.focus({ preventScroll: true }); }
    bar.hidden = true;
  };
  const soon = () => { if (!planned) planned = setTimeout(renew, Math.max(0, renewed + APART - Date.now())); };

  const close = () => { if (source) { source.close(); source = null; } };
  const listen = () => {
    if (source || document.hidden) return;
    source = new EventSource("/news?about=" + encodeURIComponent(about));
    source.onmessage = soon;
    source.onopen = () => { if (opened) soon(); opened += 1; };  // what happened while the line was away
  };
  const here = () => { touched = Date.now(); if (!source) { listen(); soon(); } };
  for (const kind of ["pointerdown", "keydown", "focus"]) window.addEventListener(kind, here, { passive: true });
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else here(); });
  window.addEventListener("pagehide", close);
  // A page that nobody works at asks for nothing: it keeps no session alive.
  setInterval(() => { if (Date.now() - touched > RESTS_AFTER) close(); }, 60 * 1000);
  listen();
})();
