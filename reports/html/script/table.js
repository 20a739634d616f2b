// The table of trials: sorts, filters, and is saved as CSV. Its cells are text.
const ROWS = 100; // shown at first

// Each word of a filter must be in the row, or be a condition such as params<100k or status=stopped.
function matcher(text) {
  const tests = text
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => {
      const found = /^([\w-]+?)(<=|>=|<|>|=)(.+)$/.exec(word);
      const column =
        found && data.columns.find((one) => one.title.toLowerCase().replaceAll(" ", "") === found[1].toLowerCase());
      if (column) return condition(column.keys, found[2], found[3]);
      const sought = word.toLowerCase();
      return (row) => rowText(row).includes(sought);
    });
  return (row) => tests.every((test) => test(row));
}

function condition(keys, sign, text) {
  const limit = amount(text);
  if (sign === "=")
    return (row) => String(keys[row]).toLowerCase() === text.toLowerCase() || (known(limit) && keys[row] === limit);
  const holds = {
    "<": (a, b) => a < b,
    "<=": (a, b) => a <= b,
    ">": (a, b) => a > b,
    ">=": (a, b) => a >= b,
  }[sign];
  return (row) => typeof keys[row] === "number" && known(limit) && holds(keys[row], limit);
}

const texts = [];
function rowText(row) {
  texts[row] ??= [
    trials.id[row],
    trials.stage[row],
    trials.status[row],
    trials.cause[row],
    designOf(row),
    trials.front[row] ? "front" : "",
  ]
    .join(" ")
    .toLowerCase();
  return texts[row];
}

// Compare numbers as numbers and words as words; missing values stay last.
function compare(a, b, sign) {
  const [noA, noB] = [a === null || a === "", b === null || b === ""];
  if (noA || noB) return noA - noB;
  return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
}

function shownRows() {
  const rows = trials.id.map((_, row) => row).filter(matcher(state.filter));
  const [title, falling] = [state.sort.replace(/^-/, ""), state.sort.startsWith("-")];
  const column = data.columns.find((one) => one.title === title);
  if (column) rows.sort((a, b) => compare(column.keys[a], column.keys[b], falling ? -1 : 1));
  return rows;
}

// A cell is its text, or text with a note, a range or a cause beside it.
function cellContent(cell) {
  if (typeof cell === "string") return [cell];
  const [text, note, kind] = cell;
  if (kind === "cause") return [`${text}: `, element("span", { class: "cause" }, note)];
  return kind === "range"
    ? [`${text} `, element("small", { class: "ends" }, note)]
    : [text, element("small", {}, note)];
}

function tableRow(row) {
  const line = element("tr", { class: trials.front[row] ? "front" : null });
  data.columns.forEach((column, number) => {
    const cell = element(number ? "td" : "th", {
      class: column.words ? "text" : null,
      scope: number ? null : "row",
    });
    if (column.cells) cell.append(...cellContent(column.cells[row]));
    else cell.append(trialButton(trials.id[row]), ...(trials.tiny[row] ? [element("small", {}, "TinyAgeNet")] : []));
    line.append(cell);
  });
  return line;
}

function csv(rows) {
  // A spreadsheet would take text that begins with one of these characters for a formula.
  const quoted = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = Array.isArray(value) ? value.join(" ") : String(value); // such as keep, a share for each stage
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const names = [
    "id",
    "stage",
    "status",
    "cause",
    "parent",
    "front",
    "error",
    "val",
    "test",
    "params",
    "macs",
    "bytes",
    "ms",
    "epochs",
    "seconds",
    "seed",
  ];
  const more = Object.keys(data.recipe.varied);
  const units = {
    error: `_${data.run.unit}`,
    val: `_mae_${data.run.unit}`,
    test: `_mae_${data.run.unit}`,
  };
  const head = [...names.map((name) => name + (units[name] ?? "")), "widths", "depths", ...more];
  const lines = rows.map((row) => [
    ...names.map((name) => trials[name][row]),
    trials.widths[row].join(" "),
    trials.depths[row].join(" "),
    ...more.map((name) => data.recipe.varied[name][row]),
  ]);
  return `${[head, ...lines].map((line) => line.map(quoted).join(",")).join("\r\n")}\r\n`;
}

function startTable() {
  for (const column of data.columns) {
    column.keys = typeof column.keys === "string" ? trials[column.keys] : decoded(column.keys);
    column.cells = column.cells && decoded(column.cells);
  }
  const table = document.querySelector("table.sortable");
  if (!table) return;
  const tools = document.getElementById("table-tools"),
    input = document.getElementById("filter"),
    more = document.getElementById("more");
  const counter = document.getElementById("filtered");
  tools.hidden = false;
  let length = ROWS,
    asWritten = true; // Python wrote the first rows, in the initial order
  const show = () => {
    const rows = shownRows();
    asWritten &&= !state.sort && !state.filter && length === ROWS;
    if (!asWritten) table.tBodies[0].replaceChildren(...rows.slice(0, length).map(tableRow));
    counter.textContent = `${grouped(rows.length)} of ${count(trials.id.length, "network")}${rows.length > length ? `, the first ${grouped(length)} shown` : ""}`;
    more.hidden = rows.length <= length;
    for (const head of table.tHead.rows[0].cells) {
      const title = head.dataset.title;
      if (state.sort.replace(/^-/, "") !== title) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", state.sort.startsWith("-") ? "descending" : "ascending");
    }
    if (document.activeElement !== input) input.value = state.filter;
  };
  for (const head of table.tHead.rows[0].cells) {
    head.querySelector("button").addEventListener("click", () =>
      choose({
        sort: state.sort === head.dataset.title ? `-${head.dataset.title}` : head.dataset.title,
      }),
    );
  }
  input.addEventListener("input", () => choose({ filter: input.value }));
  more.addEventListener("click", () => {
    length += 4 * ROWS;
    show();
  });
  document.getElementById("save").addEventListener("click", () => {
    const link = element("a", {
      download: `${data.run.name}.csv`,
      href: URL.createObjectURL(new Blob([csv(shownRows())], { type: "text/csv" })),
    });
    link.click();
    URL.revokeObjectURL(link.href);
  });
  listeners.push((changed) => {
    if (changed.has("sort") || changed.has("filter")) {
      length = ROWS;
      show();
    }
  });
  show();
}
