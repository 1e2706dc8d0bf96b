// Keys for people who live in these pages, and the cash line drawn anew while a bill is moved. Everything works without
// this file; nothing here computes or changes a figure.
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
  // On the console `p` opens the form of the row in hand with its pay button, `d` with its reason.
  const decide = (field) => {
    const row = document.activeElement.closest("tr");
    const form = row && row.querySelector("form[data-bill]");
    if (!form) return false;
    form.closest("details").open = true;
    form.querySelector(field).focus();
    return true;
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
    else if (key === "p" && decide("button[value=pay]")) { /* the form is open */ }
    else if (key === "d" && decide("[name=on]")) { /* the form is open */ }
    else if (key === "?") dialog.showModal();
    else return;
    event.preventDefault();
  });
})();
