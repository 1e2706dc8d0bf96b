// Keys for people who live in these pages, and the cash line drawn anew while a bill is moved. Everything works without
// this file; nothing here computes or changes a figure.
"use strict";
(() => {
  const SWITCH = "runway-keys";
  const dialog = document.getElementById("keys");
  const opener = document.getElementById("keys-open");
  const box = document.getElementById("keys-on");
  const screens = { d: "", t: "/tray", c: "/console", o: "/outlook" };
  const overall = { p: "/", h: "/health", d: "/digest", t: "/tray", c: "/work", w: "/work" };
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
  const roles = { TABLE: "table", CAPTION: "caption", THEAD: "rowgroup", TBODY: "rowgroup", TFOOT: "rowgroup", TR: "row", TD: "cell" };
  for (const part of document.querySelectorAll("table.cards, table.cards :is(caption, thead, tbody, tfoot, tr, td, th)")) {
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

  // A bill that is moved in a form of the console redraws the line and the figures.
  const moves = document.getElementById("moves");
  let question = 0;
  const show = (answer) => {
    document.getElementById("cash-line").innerHTML = answer.chart;
    const cells = moves.querySelectorAll("[data-asked]");
    answer.moves.forEach((move, at) => { cells[at].textContent = move.asked; });
    const list = document.createElement("ul");
    list.className = "rules";
    for (const rule of answer.rules) list.append(Object.assign(document.createElement("li"), { textContent: rule }));
    const said = document.createElement("p");
    said.append(Object.assign(document.createElement("b"), { textContent: answer.said }));
    document.getElementById("asked").replaceChildren(said, list);
  };
  const ask = async (form) => {
    const values = new FormData(form);
    const bill = form.dataset.bill || values.get("bill");
    if (!bill || !values.get("on")) return;
    const words = new URLSearchParams({ bill, on: values.get("on"), amount: values.get("amount") || "" });
    const mine = ++question;
    const answer = await fetch(`${moves.dataset.whatIf}?${words}`, { headers: { Accept: "application/json" } });
    if (answer.ok && mine === question) show(await answer.json());
  };
  if (moves) {
    for (const form of document.querySelectorAll("form[data-bill], form.move")) {
      form.addEventListener("change", (event) => {
        if (["on", "amount", "bill"].includes(event.target.name)) ask(form).catch(() => { /* the form still works */ });
      });
    }
  }
  // Keys that act open the form of the row in hand and put the focus where the act needs a word; they never send it.
  const reach = (field) => {
    if (!field) return false;
    for (let part = field.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    field.focus();
    return true;
  };
  const inRow = (field) => {
    const row = document.activeElement.closest("tr");
    return row && row.querySelector(field);
  };
  const together = (field) => document.querySelector(`main > form[action="/across"] ${field}`);
  const acts = {
    p: () => reach(inRow("form[data-bill] button[value=pay]")),
    d: () => reach(inRow("form[data-bill] [name=on]")),
    e: () => reach(inRow("form[action*='/fix'] button")),
    a: () => reach(inRow("form[data-finding] [name=reason]") || together("[name=reason]")),
    s: () => reach(inRow("form[data-finding] [name=until]") || together("[name=until]")),
    x: () => {
      const box = inRow("input[type=checkbox]");
      if (box) box.click();
      return Boolean(box);
    },
  };

  document.addEventListener("keydown", (event) => {
    const inField = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || inField || dialog.open || !box.checked) return;
    const key = event.key;
    if (awaitsScreen) {
      awaitsScreen = false;
      if (company && key in screens) location.assign(`/companies/${company}${screens[key]}`);
      else if (key in overall) location.assign(overall[key]);
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
    else if (!Object.hasOwn(acts, key) || !acts[key]()) return;
    event.preventDefault();
  });
})();
