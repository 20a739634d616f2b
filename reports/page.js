"use strict";

// Figures: their JSON lies in the page.
const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 600px)");
const figures = [...document.querySelectorAll("figure.chart")].map((place) => {
  const source = place.querySelector("script");
  source.remove();
  return { place, json: source.textContent };
});

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Colours of reports/figures/style.py that the page's style sheet has for light and for dark.
const THEMED = { "#2f6fdb": "--front", "#9a35bb": "--published", "#ffffff": "--ground" };

function draw({ place, json }) {
  for (const [from, to] of Object.entries(THEMED)) {
    json = json.replaceAll(`"${from}"`, `"${colour(to)}"`);
  }
  const { data, layout } = JSON.parse(json);
  layout.font.color = colour("--ink");
  for (const trace of data) {
    if (trace.meta && trace.meta.few) {
      trace.text = narrow.matches ? trace.meta.few : trace.meta.all;
    }
  }
  Plotly.react(place, data, layout, { displayModeBar: false, responsive: true });
}

figures.forEach(draw);
for (const query of [dark, narrow]) {
  query.addEventListener("change", () => figures.forEach(draw));
}

// Tables: a header sorts by data-value, numbers as numbers; a second time turns the order; gaps stay last.
function compare(a, b, sign) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const [x, y] = [Number(a), Number(b)];
  const order = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  return sign * order;
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const rows = [...table.tBodies[0].rows];
      const value = (row) => row.cells[column].dataset.value;
      rows.sort((a, b) => compare(value(a), value(b), rising ? 1 : -1));
      table.tBodies[0].append(...rows);
    });
  });
}
