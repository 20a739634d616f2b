// The data in the page, and new elements.

// The element stands before this script with nothing of a run between them, so that no other can be taken for it.
const dataElement = (() => {
  let found = document.currentScript;
  while (found.id !== "data") found = found.previousElementSibling;
  return found;
})();
const data = JSON.parse(dataElement.textContent);

// Add the data that lies behind the scripts, once the page is complete.
function readLater() {
  let found = dataElement;
  while (found.id !== "later") found = found.nextElementSibling;
  Object.assign(data, JSON.parse(found.textContent));
}

// What an object has under a name of the run; of every object, "constructor" and "__proto__" name something else.
function under(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

// Columns in which values repeat are sent with each value once.
function decoded(values) {
  return values.of ? values.at.map((row) => values.of[row]) : values;
}

// 900000, 900k, 0.9M or 0.9 MB as a number; NaN for anything else.
function amount(text) {
  const found = /^\s*([\d.,]+(?:e[+-]?\d+)?)\s*([kMGT]?)\s*(?:B|ms|years|points)?\s*$/i.exec(text ?? "");
  if (!found) return NaN;
  const prefix = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }[found[2].toLowerCase()];
  return Number(found[1].replaceAll(",", "")) * prefix;
}

// A new element; strings among the children become text, never markup.
function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) created.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      created.setAttribute(name, value === true ? "" : value);
  }
  created.append(...children.filter((child) => child !== null && child !== undefined));
  return created;
}

// A table in a box of its own, with the titles and roles that the style of a narrow window needs to stack its rows
// (stackable_tables.py). The first cell of a row is its heading; those under the titles in words are text.
function tableBox(label, titles, rows, { words = [], caption = null, kind = null } = {}) {
  const heads = titles.map((title) => element("th", { scope: "col", role: "columnheader" }, title));
  const cells = ([first, ...others]) => [
    element("th", { scope: "row", role: "rowheader" }, first),
    ...others.map((text, place) => {
      const title = titles[place + 1];
      return element("td", { "data-label": title, role: "cell", class: words.includes(title) ? "text" : null }, text);
    }),
  ];
  const table = element(
    "table",
    { role: "table", class: kind },
    caption && element("caption", {}, caption),
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...heads)),
    element("tbody", { role: "rowgroup" }, ...rows.map((row) => element("tr", { role: "row" }, ...cells(row)))),
  );
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);
}

function svg(tag, attributes = {}, ...children) {
  const created = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}
