// Weight sharing in the chart of the front: scored slices, and groups of marks that can be switched off.
const GROUPS = { slices: "circle", tuned: "circle", confirmed: "star", alone: "cross" };
const STATUS_OF_GROUPS = {
  tuned: "fine-tuned from its slice, one training",
  confirmed: "confirmed by the whole procedure",
  alone: "trained alone",
};

// How the error that a trial is drawn at came to be; empty for what belongs to no group.
function groupOf(row) {
  if (!data.sharing || !isSearched(row)) return "";
  if (trials.interval[row]) return data.sharing.confirm === "procedure" ? "confirmed" : "alone";
  return trials.slice_of[row] ? "tuned" : "alone";
}

function isShown(group) {
  return !state.off.includes(group);
}

// The mark of each trial: filled where it is confirmed, hollow for a single training. Its shape tells the group where
// weights are shared.
function symbols(rows) {
  return rows.map((row) => (GROUPS[groupOf(row)] ?? "circle") + (trials.interval[row] ? "" : "-open"));
}

function groupInWords(row) {
  const words = STATUS_OF_GROUPS[groupOf(row)];
  const interval = trials.interval[row];
  return words && interval ? `${words}, mean of ${count(interval[2], "seed")}` : words;
}

// The slices that are drawn against a cost: all of their front that the page has, and some of the others.
function slicesDrawn(axis, xs, ys) {
  const own = data.sharing?.slices;
  if (!own?.[axis.column]) return { front: [], others: [] };
  const rows = own.error.map((_, row) => row);
  return {
    front: rows.filter((row) => own.front[row]),
    others: thinned(
      rows.filter((row) => !own.front[row] && own.error[row] <= ys[1]),
      axis,
      xs,
      ys,
      own,
    ),
  };
}

function sliceTraces(drawn, axis, ys) {
  if (!isShown("slices") || drawn.front.length + drawn.others.length === 0) return [];
  const own = data.sharing.slices,
    top = ys[1] - 0.03 * (ys[1] - ys[0]),
    paint = colour("--slice");
  const text = (row) =>
    [
      `<b>a scored slice</b>, not trained on its own${own.front[row] ? "; on the front of the slices" : ""}`,
      `widths ${own.widths[row].join(" ")}, depths ${own.depths[row].join(" ")}`,
      `validation MAE ${escapeLabel(mae(own.error[row]))}`,
      `${quantity(own.params[row])} parameters, ${quantity(own.macs[row])} multiply-adds, ${quantity(own.bytes[row], "B")}`,
    ].join("<br>");
  const points = (rows, marker, name) => ({
    x: rows.map((row) => own[axis.column][row]),
    y: rows.map((row) => Math.min(own.error[row], top)),
    hovertext: rows.map(text),
    hoverinfo: "text",
    type: "scatter",
    mode: "markers",
    name,
    cliponaxis: false,
    marker: {
      color: paint,
      symbol: rows.map((row) => (own.error[row] > top ? "triangle-up-open" : "circle-open")),
      ...marker,
    },
  });
  return [
    points(drawn.others, { size: 4, opacity: 0.45 }, "scored slices"),
    points(drawn.front, { size: 6, opacity: 0.9 }, "front of the slices"),
  ];
}

// What the confirmed members had before: the error of their one training in the search.
function beforeConfirmation(rows, axis, ys) {
  const shown = isShown("tuned") ? rows.filter((row) => trials.interval[row] && trials.slice_of[row]) : [];
  const top = ys[1] - 0.03 * (ys[1] - ys[0]);
  return {
    x: shown.map((row) => trials[axis.column][row]),
    y: shown.map((row) => Math.min(trials.val[row], top)),
    customdata: shown.map((row) => trials.id[row]),
    hovertext: shown.map(
      (row) =>
        `<b>${escapeLabel(trials.id[row])}</b> ${STATUS_OF_GROUPS.tuned}, before it was confirmed<br>validation MAE ${escapeLabel(mae(trials.val[row]))}`,
    ),
    hoverinfo: "text",
    type: "scatter",
    mode: "markers",
    name: "before it was confirmed",
    cliponaxis: false,
    marker: { symbol: "circle-open", size: 9, color: colour("--front"), opacity: 0.75, line: { width: 1.5 } },
  };
}

// Members that were confirmed in the other way as well, at their means.
function otherWay(axis, ys) {
  const group = data.sharing.confirm === "procedure" ? "alone" : "confirmed";
  const shown = isShown(group) ? data.sharing.others.filter(([row]) => trials[axis.column][row] > 0) : [];
  const [low, high] = [ys[0], ys[1] - 0.03 * (ys[1] - ys[0])];
  return {
    x: shown.map(([row]) => trials[axis.column][row]),
    y: shown.map(([, mean]) => Math.min(Math.max(mean, low), high)),
    customdata: shown.map(([row]) => trials.id[row]),
    hovertext: shown.map(
      ([row, mean, seeds]) =>
        `<b>${escapeLabel(trials.id[row])}</b> ${STATUS_OF_GROUPS[group]}, mean of ${count(seeds, "seed")}<br>validation MAE ${escapeLabel(mae(mean))}`,
    ),
    hoverinfo: "text",
    type: "scatter",
    mode: "markers",
    name: STATUS_OF_GROUPS[group],
    cliponaxis: false,
    marker: { symbol: `${GROUPS[group]}-open`, size: 12, color: colour("--front"), line: { width: 1.5 } },
  };
}

// The errors of further marks: the front of the slices, and what stands beside the confirmed means.
function furtherErrors(rows) {
  if (!data.sharing) return [];
  const { slices, others } = data.sharing;
  return [
    ...slices.error.filter((_, row) => slices.front[row]),
    ...rows.filter((row) => trials.interval[row]).map((row) => trials.val[row]),
    ...others.map(([, mean]) => mean),
  ];
}

function noteSlices(drawn, axis) {
  const own = data.sharing?.slices;
  if (!own?.scored || !isShown("slices")) return "";
  if (!own[axis.column]) return "Slices were not timed, so they are not in this chart.";
  const hidden = own.scored - drawn.front.length - drawn.others.length;
  if (hidden <= 0) return "";
  return `${grouped(hidden)} of the ${grouped(own.scored)} scored slices are not drawn: they are above the chart, or would lie under others.`;
}

function startSharing() {
  const boxes = document.querySelectorAll("input[name=group]");
  const follow = () => {
    for (const box of boxes) box.checked = isShown(box.value);
  };
  for (const box of boxes) {
    box.hidden = false;
    box.addEventListener("change", () =>
      choose({ off: [...boxes].filter((one) => !one.checked).map((one) => one.value) }),
    );
  }
  follow();
  listeners.push((changed) => {
    if (!changed.has("off")) return;
    follow();
    drawFront();
  });
}
