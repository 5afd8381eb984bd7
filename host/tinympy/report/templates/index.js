// Sorts and filters the tables of records. Without it they stand there whole, by task and latency.
"use strict";
const form = document.getElementById("filters");
const tables = [...document.querySelectorAll(".group")].map((group) => ({
  group,
  heads: [...group.querySelectorAll("thead th")],
  body: group.querySelector("tbody"),
  rows: [...group.querySelectorAll("tbody tr")],
}));
const FILTERS = ["task", "board", "engine"];
const STATE = [...FILTERS, "records", "sort"];
const moreIsBetter = new Set(MORE_IS_BETTER);
let descending = false;

function value(row, index) {
  const text = row.children[index].dataset.value;
  return text !== "" && !isNaN(text) ? Number(text) : text;
}

// What was not measured comes last, in either direction.
function compare(a, b) {
  if (a === b) return 0;
  if (a === "") return 1;
  if (b === "") return -1;
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return descending ? -order : order;
}

function show() {
  let shown = 0;
  const key = form.elements.sort.value;
  for (const { group, heads, body, rows } of tables) {
    const index = heads.findIndex((head) => head.dataset.key === key);
    heads.forEach((head, at) => {
      if (at === index) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    const sorted = index < 0 ? rows : [...rows].sort((a, b) => compare(value(a, index), value(b, index)));
    body.append(...sorted);
    let here = 0;
    for (const row of rows) {
      const another = (name) => form.elements[name].value && row.dataset[name] !== form.elements[name].value;
      row.hidden = FILTERS.some(another) || ("other" in row.dataset && !form.elements.records.value);
      if (!row.hidden) here += 1;
    }
    group.hidden = here === 0;
    shown += here;
  }
  const all = tables.reduce((sum, table) => sum + table.rows.length, 0);
  form.querySelector("output").textContent = shown === all ? `${all} records` : `${shown} of ${all} records`;
  const state = new URLSearchParams();
  for (const name of STATE) if (form.elements[name].value) state.set(name, form.elements[name].value);
  if (descending) state.set("descending", "1");
  history.replaceState(null, "", state.size ? `#${state}` : location.pathname + location.search);
}

for (const { heads } of tables) {
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const key = head.dataset.key;
      descending = form.elements.sort.value === key ? !descending : moreIsBetter.has(key);
      form.elements.sort.value = key;
      show();
    });
  }
}
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", (event) => {
  if (event.target.name === "sort") descending = moreIsBetter.has(event.target.value);
  show();
});
const state = new URLSearchParams(location.hash.slice(1));
for (const name of STATE) {
  const select = form.elements[name];
  if ([...select.options].some((option) => option.value === state.get(name))) select.value = state.get(name);
}
descending = state.get("descending") === "1";
form.hidden = false;
show();
