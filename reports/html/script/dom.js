// The data in the page, and new elements.
const data = JSON.parse(document.getElementById("data").textContent);

// Add the data that lies behind the scripts, once the page is complete.
function readLater() {
  Object.assign(data, JSON.parse(document.getElementById("later").textContent));
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

function svg(tag, attributes = {}, ...children) {
  const created = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}
