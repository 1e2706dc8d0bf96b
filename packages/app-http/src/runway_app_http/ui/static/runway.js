// Keys for people who live in these pages. Everything works without this file; nothing here changes a figure.
"use strict";
(() => {
  const SWITCH = "runway-keys";
  const dialog = document.getElementById("keys");
  const opener = document.getElementById("keys-open");
  const box = document.getElementById("keys-on");
  const screens = { d: "", t: "/tray", c: "/console", o: "/outlook" };
  const company = document.body.dataset.company;
  let awaitsScreen = false;

  const isOn = () => {
    try { return localStorage.getItem(SWITCH) !== "off"; } catch { return true; }
  };
  box.checked = isOn();
  box.addEventListener("change", () => {
    try { localStorage.setItem(SWITCH, box.checked ? "on" : "off"); } catch { /* the switch lasts for this page */ }
  });
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());

  // On narrow screens rows are laid out as cards; the roles keep them a table for screen readers.
  const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TFOOT: "rowgroup", TR: "row", TD: "cell" };
  for (const part of document.querySelectorAll("table.cards, table.cards :is(thead, tbody, tfoot, tr, td, th)")) {
    part.setAttribute("role", roles[part.tagName] || (part.scope === "row" ? "rowheader" : "columnheader"));
  }

  const links = () => [...document.querySelectorAll("[data-rows] tbody tr [data-open]")];
  const step = (by) => {
    const all = links();
    if (all.length === 0) return;
    const row = document.activeElement.closest("tr");
    const at = row ? all.indexOf(row.querySelector("[data-open]")) : -1;
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
    all[next].focus();
    all[next].scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    const inField = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || inField || dialog.open || !box.checked) return;
    const key = event.key;
    if (awaitsScreen) {
      awaitsScreen = false;
      if (key === "p") location.assign("/");
      else if (key === "h") location.assign("/health");
      else if (company && key in screens) location.assign(`/companies/${company}${screens[key]}`);
      else return;
      event.preventDefault();
      return;
    }
    if (key === "/") {
      const search = document.getElementById("search");
      if (search) search.focus(); else location.assign("/#search");
    } else if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "g") awaitsScreen = true;
    else if (key === "?") dialog.showModal();
    else return;
    event.preventDefault();
  });
})();
