// The chart of the front: validation error against one cost. A click on a mark opens its network.
const MOST_QUIET = 280; // marks of one kind behind the front; more would hide each other and take long to draw
const MOST_LABELS = 24;
// Of the labels of the paper's networks, by which these do not cover each other's marks; else to the left.
const PLACES = { Tiny: "middle left", Thin: "bottom center" };
const MADE = { pruned: "triangle-down", int8: "square", distilled: "star-triangle-up" };

function axisNow() {
  return data.axes.find((axis) => axis.column === state.x);
}

// The range of errors: the front, what was made from it, and the lower three quarters of the rest; no far outliers.
function errorRange(shown) {
  const errors = [...shown.map((row) => trials.error[row]), ...furtherErrors(shown)].sort((a, b) => a - b);
  if (!errors.length) return [0, 1];
  const must = shown.filter((row) => trials.front[row] || !isSearched(row)).map((row) => trials.error[row]);
  let top = Math.max(errors[Math.floor(0.75 * (errors.length - 1))], ...must);
  top = Math.min(errors[errors.length - 1], top + 0.35 * (top - errors[0]));
  const room = 0.12 * (top - errors[0]) || 0.1 * top || 1;
  return [errors[0] - room, top + room];
}

function costRange(shown, axis) {
  const costs = shown.map((row) => trials[axis.column][row]);
  costs.push(
    ...data.published.marks.map((mark) => mark[axis.column]),
    ...data.networks.map((network) => network[axis.column]),
    ...(data.sharing?.slices[axis.column] ?? []),
  );
  const positive = costs.filter((value) => known(value) && value > 0);
  let low = Infinity,
    high = -Infinity;
  for (const value of positive) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (!positive.length) [low, high] = [1, 10];
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const pad = 0.07 * (to - from) + 0.02;
  return [from - pad, to + pad];
}

// One mark for each cell of a grid that is coarse enough; the others would lie under these.
function thinned(shown, axis, xs, ys, own = trials) {
  if (shown.length <= MOST_QUIET) return shown;
  const across = shown.map((row) => (Math.log10(own[axis.column][row]) - xs[0]) / (xs[1] - xs[0]));
  const up = shown.map((row) => (0.4 * (own.error[row] - ys[0])) / (ys[1] - ys[0]));
  for (let columns = 200; ; columns *= 0.8) {
    const cells = new Map();
    for (let i = 0; i < shown.length && cells.size <= MOST_QUIET; i++) {
      const cell = Math.floor(across[i] * columns) * 1000 + Math.floor(up[i] * columns);
      if (!cells.has(cell)) cells.set(cell, shown[i]);
    }
    if (cells.size <= MOST_QUIET) return [...cells.values()];
  }
}

function hover(row) {
  const own = at(row);
  const lines = [`<b>${escapeLabel(own.id)}</b> ${escapeLabel(statusInWords(row))}`, escapeLabel(designOf(row))];
  if (groupInWords(row)) lines.push(groupInWords(row));
  lines.push(`validation MAE ${escapeLabel(mae(own.error))}`);
  const interval = own.interval;
  if (interval && known(interval[0]))
    lines.push(
      `95 % interval ${mae(interval[0], { unit: false })} to ${mae(interval[1])}, ${seedsAndPeople(interval)}`,
    );
  lines.push(`${quantity(own.params)} parameters, ${quantity(own.macs)} multiply-adds, ${quantity(own.bytes, "B")}`);
  if (own.speedup) lines.push(`${digits(own.ms)} ms per image, ${digits(own.speedup[0])}${TIMES} as fast as VGG-16`);
  return lines.join("<br>");
}

// Whether another confirmed network is not better than this one for certain, so that it may be the best.
function mayBeBest(row) {
  return behindBest(row) !== null && !isWorseThanBest(row);
}

// The answer, where the confirmed networks give one.
function answerRow() {
  const row = data.verdict ? networkToShip() : null;
  return row !== null && behindBest(row) ? row : null;
}

function statusInWords(row) {
  if (isParent(row)) return "the network that the search pruned";
  if (isMade(row))
    return `${trials.stage[row]}, from ${trials.parent[row]}${data.run.confirmed ? ", not confirmed" : ""}`;
  if (trials.front[row]) return trials.interval[row] ? "on the front" : "on the front, not confirmed";
  if (trials.status[row] !== "finished") return `${trials.status[row]} after ${count(trials.epochs[row], "epoch")}`;
  return data.run.confirmed && !trials.interval[row] ? "not confirmed" : "dominated";
}

function designOf(row) {
  const network = trials.network[row];
  if (network !== "compact") return under(data.network_names, network) ?? network;
  return `widths ${trials.widths[row].join(" ")}, depths ${trials.depths[row].join(" ")}`;
}

function marks(shown, axis, ys, marker, name) {
  const top = ys[1] - 0.03 * (ys[1] - ys[0]);
  const above = shown.some((row) => trials.error[row] > top);
  const symbolAt = (place) => (Array.isArray(marker.symbol) ? marker.symbol[place] : marker.symbol);
  return {
    x: shown.map((row) => trials[axis.column][row]),
    y: shown.map((row) => Math.min(trials.error[row], top)),
    customdata: shown.map((row) => trials.id[row]),
    hovertext: shown.map(hover),
    hoverinfo: "text",
    type: "scatter",
    mode: "markers",
    name,
    cliponaxis: false,
    marker: above
      ? {
          ...marker,
          symbol: shown.map((row, place) => (trials.error[row] > top ? "triangle-up-open" : symbolAt(place))),
        }
      : marker,
  };
}

// Intervals of confirmed means. One that leaves the chart is cut off, and an arrow marks where.
function errorBars(shown, axis, ys) {
  const up = [],
    down = [],
    arrows = { x: [], y: [], symbol: [], text: [] };
  for (const row of shown) {
    const [low, high] = trials.interval[row] ?? [null, null];
    const own = trials.error[row];
    const ends = known(low) ? [Math.max(low, ys[0]), Math.min(high, ys[1])] : [own, own];
    down.push(own - ends[0]);
    up.push(ends[1] - own);
    if (!known(low)) continue;
    for (const [beyond, y, symbol] of [
      [low < ys[0], ys[0], "triangle-down"],
      [high > ys[1], ys[1], "triangle-up"],
    ]) {
      if (!beyond) continue;
      arrows.x.push(trials[axis.column][row]);
      arrows.y.push(y);
      arrows.symbol.push(symbol);
      arrows.text.push(
        `${escapeLabel(trials.id[row])}: the interval goes on to ${mae(symbol === "triangle-up" ? high : low)}`,
      );
    }
  }
  const bars = {
    type: "data",
    array: up,
    arrayminus: down,
    thickness: 1.2,
    width: 4,
    color: colour("--front"),
    visible: up.some((v) => v > 0),
  };
  const trace = {
    x: arrows.x,
    y: arrows.y,
    mode: "markers",
    type: "scatter",
    hovertext: arrows.text,
    hoverinfo: "text",
    cliponaxis: false,
    marker: { symbol: arrows.symbol, size: 8, color: colour("--front") },
    name: "interval goes on",
  };
  return [bars, trace];
}

function speedBars(shown, axis) {
  if (axis.column !== "ms") return {};
  const spread = shown.map((row) => {
    const [value, low, high] = trials.speedup[row] ?? [1, 1, 1];
    const own = trials.ms[row];
    return known(low) && known(high) ? [own * (value / low - 1), own * (1 - value / high)] : [0, 0];
  });
  return {
    error_x: {
      type: "data",
      array: spread.map((s) => s[0]),
      arrayminus: spread.map((s) => s[1]),
      thickness: 1,
      width: 0,
      color: colour("--front"),
    },
  };
}

// The line that joins those of the front that are unbeaten in error and in this cost, as Python found them.
function unbeatenLine(axis) {
  const line = data.unbeaten[axis.column].filter((row) => isShown(groupOf(row)));
  return {
    x: line.map((row) => trials[axis.column][row]),
    y: line.map((row) => trials.error[row]),
    mode: "lines",
    type: "scatter",
    line: { color: colour("--front"), width: 1.5, shape: "hv" },
    hoverinfo: "skip",
    opacity: 0.7,
    name: "front",
  };
}

// Lines from parents to what was made from them, as Python found them.
function lineage(axis, ys) {
  const line = { x: [], y: [] };
  for (const [parent, child] of data.lineage) {
    if (![parent, child].every((row) => known(trials.error[row]) && trials[axis.column][row] > 0)) continue;
    line.x.push(trials[axis.column][parent], trials[axis.column][child], null);
    line.y.push(Math.min(trials.error[parent], ys[1]), Math.min(trials.error[child], ys[1]), null);
  }
  return {
    ...line,
    mode: "lines",
    type: "scatter",
    hoverinfo: "skip",
    name: "made from",
    line: { color: colour("--made"), width: 1.3, dash: "dash" },
  };
}

// Place labels greedily, notable ones first, so that none covers another or a mark of the front.
function labels(front, axis, xs, ys, width, height) {
  const pixel = (row) => [
    ((Math.log10(trials[axis.column][row]) - xs[0]) / (xs[1] - xs[0])) * width,
    ((trials.error[row] - ys[0]) / (ys[1] - ys[0])) * height,
  ];
  const SIDES = {
    "top right": [0.5, 1],
    "bottom left": [-0.5, -1],
    "top center": [0, 1.15],
    "bottom center": [0, -1.15],
    "middle right": [0.65, 0],
    "middle left": [-0.65, 0],
    "top left": [-0.5, 1],
    "bottom right": [0.5, -1],
  };
  const answer = answerRow();
  const must = new Set([...data.notable, state.trial, trials.id[answer]]);
  const order = [...front].sort((a, b) => must.has(trials.id[b]) - must.has(trials.id[a]));
  if (front.length > MOST_LABELS) order.length = Math.max(front.filter((row) => must.has(trials.id[row])).length, 1);
  const taken = front.map((row) => [...pixel(row), 10, 10]);
  const found = new Map();
  for (const row of order) {
    if (narrow.matches && !must.has(trials.id[row])) continue;
    const [x, y] = pixel(row),
      wide = 7 * trials.id[row].length;
    for (const [side, [right, up]] of Object.entries(SIDES)) {
      const box = [x + right * (wide + 8), y + up * 13, wide, 13];
      const inside = box[0] - wide / 2 > 0 && box[0] + wide / 2 < width;
      if (
        inside &&
        !taken.some(
          (other) =>
            Math.abs(box[0] - other[0]) < (box[2] + other[2]) / 2 &&
            Math.abs(box[1] - other[1]) < (box[3] + other[3]) / 2,
        )
      ) {
        found.set(row, side);
        taken.push(box);
        break;
      }
    }
  }
  const shown = [...found.keys()];
  return {
    x: shown.map((row) => trials[axis.column][row]),
    y: shown.map((row) => trials.error[row]),
    mode: "markers+text",
    type: "scatter",
    marker: { size: 13, opacity: 0 },
    text: shown.map((row) => (row === answer ? `<b>${escapeLabel(trials.id[row])}</b>` : escapeLabel(trials.id[row]))),
    textposition: [...found.values()],
    textfont: { size: 11, shadow: `0 0 3px ${colour("--ground")}, 0 0 3px ${colour("--ground")}` },
    hoverinfo: "skip",
    name: "names",
    cliponaxis: false,
  };
}

function publishedTraces(axis) {
  const shown = data.published.marks.filter((mark) => known(mark[axis.column]));
  if (!shown.length) return [];
  const inColour = { color: colour("--published") };
  return [
    {
      x: shown.map((mark) => mark[axis.column]),
      y: shown.map((mark) => mark.mae),
      yaxis: "y2",
      type: "scatter",
      mode: "markers+text",
      marker: { symbol: "diamond-open", size: 11, line: { width: 2 }, ...inColour },
      textfont: { size: 11, ...inColour },
      text: narrow.matches ? undefined : shown.map((mark) => escapeLabel(mark.label)),
      textposition: shown.map((mark) => PLACES[mark.label.slice(0, 4)] ?? "middle left"),
      hovertext: shown.map(
        (mark) => `<b>${escapeLabel(mark.label)}: published, not measured here</b><br>${escapeLabel(mark.note)}`,
      ),
      hoverinfo: "text",
      name: "published, not measured here",
      cliponaxis: false,
    },
  ];
}

function frontLayout(axis, xs, ys, published, height) {
  const purple = colour("--published");
  const guides = data.networks
    .filter((network) => known(network[axis.column]))
    .map((network) => ({
      type: "line",
      x0: network[axis.column],
      x1: network[axis.column],
      y0: 0,
      y1: 1,
      yref: "paper",
      line: { color: purple, width: 1, dash: "dot" },
      opacity: 0.55,
      layer: "below",
    }));
  const maes = data.published.marks.map((mark) => mark.mae);
  const room = 0.3 * (Math.max(...maes) - Math.min(...maes)) || 0.1;
  const strip = published
    ? [
        {
          type: "rect",
          xref: "paper",
          yref: "paper",
          x0: 0,
          x1: 1,
          y0: 0.8,
          y1: 1,
          fillcolor: purple,
          opacity: 0.08,
          line: { width: 0 },
          layer: "below",
        },
      ]
    : [];
  const note = {
    text: `published, not measured here: ${escapeLabel(data.published.data)}`,
    showarrow: false,
    xref: "paper",
    yref: "paper",
    x: 0,
    y: 1,
    xanchor: "left",
    yanchor: "bottom",
    font: { size: 11, color: purple },
  };
  return bareLayout(height, {
    margin: { l: 56, r: 18, t: 26, b: 46 },
    shapes: [...guides, ...strip],
    annotations: published ? [note] : [],
    hovermode: "closest",
    hoverdistance: 14,
    xaxis: {
      type: "log",
      range: xs,
      title: { text: escapeLabel(axis.title), standoff: 8 },
      ...logTicks(10 ** xs[0], 10 ** xs[1], (value) =>
        axis.unit === "ms" ? `${Number(value.toPrecision(3))} ms` : tick(value, axis.unit),
      ),
    },
    yaxis: {
      range: ys,
      domain: published ? [0, 0.75] : [0, 1],
      nticks: 7,
      title: {
        text: escapeLabel(`${data.run.error_title}, ${data.run.unit}`),
        standoff: 6,
        font: { size: narrow.matches ? 11 : 12 },
      },
    },
    yaxis2: {
      domain: [0.8, 1],
      anchor: "x",
      range: published ? [Math.min(...maes) - 1.4 * room, Math.max(...maes) + room] : [0, 1],
      visible: published,
      nticks: 3,
      tickfont: { color: purple },
      showgrid: false,
      zeroline: false,
      title: { text: "MAE", standoff: 6, font: { color: purple } },
    },
  });
}

// As the style sheet has it, so that the window shows the whole chart.
function heightOf(chart) {
  return Math.round(Number.parseFloat(getComputedStyle(chart).minHeight));
}

function drawFront() {
  const chart = document.getElementById("front-chart"),
    axis = axisNow();
  const all = trials.id.map((_, i) => i).filter((i) => known(trials.error[i]) && trials[axis.column][i] > 0);
  const done = all.filter(finished),
    ys = errorRange(done),
    xs = costRange(all, axis);
  const shown = done.filter((i) => isShown(groupOf(i)));
  const front = shown.filter((i) => trials.front[i]),
    made = done.filter(isMade),
    parent = done.filter(isParent);
  const others = shown.filter((i) => !trials.front[i] && isSearched(i));
  const stopped = all.filter((i) => trials.status[i] === "stopped" && trials.error[i] < ys[1] && isShown(groupOf(i)));
  const quiet = thinned(others, axis, xs, ys),
    cut = thinned(stopped, axis, xs, ys),
    slices = slicesDrawn(axis, xs, ys);
  const height = heightOf(chart);
  const published = publishedTraces(axis);
  const [bars, arrows] = errorBars(front, axis, ys);
  const grey = colour("--others"),
    answer = answerRow();
  const traces = [
    ...sliceTraces(slices, axis, ys),
    marks(cut, axis, ys, { color: grey, size: 6, opacity: 0.6, symbol: "x-thin-open" }, "stopped early"),
    marks(quiet, axis, ys, { color: grey, size: 7, opacity: 0.7, symbol: symbols(quiet) }, "dominated"),
    {
      ...marks(
        shown.filter(mayBeBest),
        axis,
        ys,
        { color: colour("--front"), size: 27, opacity: 0.25, symbol: "circle" },
        "cannot be told apart from the best",
      ),
      hoverinfo: "skip",
    },
    unbeatenLine(axis),
    lineage(axis, ys),
    ...(data.sharing ? [beforeConfirmation(done, axis, ys), otherWay(axis, ys)] : []),
    {
      ...marks(
        front,
        axis,
        ys,
        {
          color: colour("--front"),
          size: data.sharing ? 13 : 11,
          symbol: symbols(front),
          line: { width: 2, color: colour("--ground") },
        },
        "on the front",
      ),
      error_y: bars,
      ...speedBars(front, axis),
    },
    {
      ...marks(
        answer === null || !shown.includes(answer) ? [] : [answer],
        axis,
        ys,
        { color: colour("--ink"), size: 21, symbol: "circle-open", line: { width: 2.5 } },
        "the answer",
      ),
      hoverinfo: "skip",
    },
    labels(front, axis, xs, ys, chart.clientWidth - 74, (published.length ? 0.75 : 1) * (height - 72)),
    arrows,
    marks(
      shown.filter((i) => trials.tiny[i] && isSearched(i)).slice(0, 60),
      axis,
      ys,
      { color: colour("--tiny"), size: 19, symbol: "circle-open", line: { width: 2.5 } },
      "TinyAgeNet, trained here",
    ),
    ...[...new Set(made.map((i) => trials.stage[i]))].map((stage) =>
      marks(
        made.filter((i) => trials.stage[i] === stage),
        axis,
        ys,
        {
          color: colour("--made"),
          size: 11,
          symbol: MADE[stage] ?? "hexagon",
          line: { width: 1.2, color: colour("--ground") },
        },
        stage,
      ),
    ),
    marks(
      parent,
      axis,
      ys,
      { color: colour("--made"), size: 13, symbol: "pentagon", line: { width: 1.2, color: colour("--ground") } },
      "parent",
    ),
    ...published,
  ];
  const chosen = rowOf.get(state.trial);
  if (chosen !== undefined && all.includes(chosen) && isShown(groupOf(chosen))) {
    traces.push({
      ...marks(
        [chosen],
        axis,
        ys,
        { color: colour("--ink"), size: 22, symbol: "square-open", line: { width: 2 } },
        "chosen",
      ),
      hoverinfo: "skip",
    });
  }
  const layout = frontLayout(axis, xs, ys, published.length > 0, height);
  if (!done.length) {
    layout.annotations.push({
      text: axis.column === "ms" ? "speed was not measured" : "no finished trial",
      showarrow: false,
      xref: "paper",
      yref: "paper",
      x: 0.5,
      y: 0.4,
      font: { size: 15 },
    });
  }
  chart.querySelector(":scope > .picture")?.remove(); // Python's static picture
  Plotly.react(chart, traces, layout, CONFIG).then(() => {
    performance.mark("front");
    chart.dispatchEvent(new CustomEvent("drawn"));
  });
  chart.setAttribute(
    "aria-label",
    `Validation MAE against ${axis.title}: ${count(front.length, "network")} on the front, ${count(others.length, "dominated trial")}, ${count(made.length, "network")} made from trials`,
  );
  const legend = document.getElementById("legend-ship");
  if (legend) legend.hidden = answer === null;
  noteHidden(quiet, others, cut, stopped, axis, slices);
}

function noteHidden(quiet, others, cut, stopped, axis, slices) {
  const notes = [noteSlices(slices, axis)].filter(Boolean);
  const hidden = others.length - quiet.length + stopped.length - cut.length;
  if (hidden > 0) notes.push(`${grouped(hidden)} of the grey marks would lie under others and are not drawn.`);
  const without = trials.id.filter((_, i) => finished(i) && !(trials[axis.column][i] > 0)).length;
  if (without > 0) notes.push(`Not measured, so not in this chart: ${count(without, "finished network")}.`);
  document.getElementById("front-hidden").textContent = notes.join(" ");
}

function startFront() {
  const chart = document.getElementById("front-chart");
  const radios = document.querySelectorAll("input[name=x]");
  const follow = () => {
    for (const radio of radios) radio.checked = radio.value === state.x;
  };
  document.getElementById("axes").hidden = false;
  for (const radio of radios) radio.addEventListener("change", () => choose({ x: radio.value }));
  follow();
  figure(chart, drawFront, { now: true });
  chart.on("plotly_click", (event) => {
    const id = event.points.map((point) => point.customdata).find((one) => rowOf.has(one));
    if (id) openNetwork(id);
  });
  startSharing();
  startGrowth();
  listeners.push((changed) => {
    if (changed.has("x")) follow();
    if (["x", "trial", "limits", "tolerance", "take"].some((name) => changed.has(name))) drawFront();
  });
  window.addEventListener("resize", () => {
    if (heightOf(chart) !== chart.layout.height) drawFront();
  });
}
