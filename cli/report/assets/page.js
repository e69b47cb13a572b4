"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const changes = all("details.change");
  const form = one("#filter");
  const typing = (target) => target.closest("input, select, textarea, dialog") !== null;

  const matches = (change, wanted) => {
    const has = (name) => !wanted[name] || change.dataset[name] === wanted[name];
    if (!has("environment") || !has("operation") || !has("component")) return false;
    if (wanted.level && Number(change.dataset.level) < Number(wanted.level)) return false;
    if (!wanted.text) return true;
    change.words ??= change.textContent.toLowerCase();
    return wanted.text.toLowerCase().split(/\s+/).every((word) => change.words.includes(word));
  };

  const filter = () => {
    const wanted = Object.fromEntries(new FormData(form));
    let shown = 0;
    for (const change of changes) {
      change.hidden = !matches(change, wanted);
      if (!change.hidden) shown += 1;
    }
    for (const section of all("section.environment")) {
      section.hidden = Boolean(wanted.environment) && section.dataset.environment !== wanted.environment;
    }
    one("#shown").textContent = `${shown} of ${changes.length} changes shown`;
  };

  const order = () => {
    const by = one("#order").value;
    const key = (change) => (by === "worst" ? Number(change.dataset.rank) : Number(change.dataset.place));
    for (const list of all(".changes")) {
      const sorted = all("details.change", list).sort((left, right) => key(left) - key(right));
      list.append(...sorted);
    }
  };

  const visible = () => all("details.change").filter((change) => change.offsetParent !== null);
  const go = (change) => {
    if (!change) return;
    const summary = change.querySelector("summary");
    change.scrollIntoView({ block: "nearest" });
    summary.focus({ preventScroll: true });
  };
  const step = (by) => {
    const shown = visible();
    const now = shown.indexOf(document.activeElement?.closest("details.change"));
    go(shown[Math.min(Math.max(now + by, 0), shown.length - 1)]);
  };

  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target || !target.matches("details.change")) return false;
    target.hidden = false;
    target.open = true;
    go(target);
    return true;
  };

  const theme = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  };

  const fold = (open) => visible().forEach((change) => { change.open = open; });
  const keys = one("#keys");
  const acts = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => one("#text").focus(),
    "?": () => keys.showModal(),
    t: theme,
    o: () => fold(true),
    c: () => fold(false),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && document.activeElement?.closest("#filter")) return step(0);
    if (typing(event.target) || !acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => { event.preventDefault(); step(0); });
  one("#order").addEventListener("change", order);
  one("#theme").addEventListener("click", theme);
  one("#help").addEventListener("click", () => keys.showModal());
  one("#open").addEventListener("click", () => fold(true));
  one("#close").addEventListener("click", () => fold(false));
  addEventListener("hashchange", reveal);
  filter();
  if (!reveal()) go(one("details.change[data-worst]"));
})();
