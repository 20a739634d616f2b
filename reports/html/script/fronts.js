// The fronts of several runs over each other: a colour, a mark and a dash for each.
const LOOKS = [
  ["--front", "circle", "solid"],
  ["--tiny", "diamond", "dash"],
  ["--made", "square", "dot"],
  ["--published", "triangle-up", "dashdot"],
  ["--soft", "cross", "longdash"],
];
const MOST_PALE = 400;
let shownAxis = "params";

function runTraces(run, number, column) {
  const [name, symbol, dash] = LOOKS[number % LOOKS.length],
    paint = colour(name),
    own = run.trials;
  const all = own.id.map((_, row) => row).filter((row) => known(own.error[row]) && own[column][row] > 0);
  const front = all.filter((row) => own.front[row]);
  const rest = all.filter((row) => !own.front[row]);
  const pale = rest.filter((_, i) => i % Math.ceil(rest.length / MOST_PALE || 1) === 0);
  const line = run.unbeaten[column];
  const hover = (row) =>
    `<b>${escapeLabel(own.id[row])}</b> of ${escapeLabel(run.name)}<br>validation MAE ${mae(own.error[row])}<br>${quantity(own.params[row])} parameters, ${quantity(own.macs[row])} multiply-adds`;
  const marks = (rows, marker, more) => ({
    x: rows.map((row) => own[column][row]),
    y: rows.map((row) => own.error[row]),
    mode: "markers",
    type: "scatter",
    hovertext: rows.map(hover),
    hoverinfo: "text",
    marker: { symbol, color: paint, ...marker },
    ...more,
  });
  const reach = (row, side) => {
    const end = own.interval[row]?.[side];
    return known(end) ? Math.abs(end - own.error[row]) : 0;
  };
  return [
    marks(pale, { size: 5, opacity: 0.25 }, { showlegend: false, hoverinfo: "skip" }),
    {
      x: line.map((row) => own[column][row]),
      y: line.map((row) => own.error[row]),
      mode: "lines",
      type: "scatter",
      showlegend: false,
      hoverinfo: "skip",
      line: { color: paint, dash, width: 1.8, shape: "hv" },
    },
    marks(
      front,
      { size: 11, line: { width: 1.2, color: colour("--ground") } },
      {
        name: escapeLabel(run.name),
        error_y: {
          type: "data",
          array: front.map((row) => reach(row, 1)),
          arrayminus: front.map((row) => reach(row, 0)),
          color: paint,
          thickness: 1.2,
          width: 4,
          visible: front.some((row) => own.interval[row]),
        },
      },
    ),
  ];
}

// The range of errors: all fronts with a margin. Outliers off the fronts do not count.
function frontsRange() {
  const errors = data.runs.flatMap((run) =>
    run.trials.error.filter((error, row) => run.trials.front[row] && known(error)),
  );
  if (!errors.length) return undefined;
  const [low, high] = [Math.min(...errors), Math.max(...errors)],
    room = 0.18 * (high - low) || 0.1 * high;
  return [low - room, high + 2 * room];
}

function drawFronts() {
  const axis = data.axes.find((one) => one.column === shownAxis),
    values = data.runs.flatMap((run) => run.trials[axis.column].filter((value) => value > 0));
  const low = values.reduce((a, b) => Math.min(a, b), Infinity),
    high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const range = values.length ? [Math.log10(low) - 0.1, Math.log10(high) + 0.1] : [0, 1];
  Plotly.react(
    "fronts-chart",
    data.runs.flatMap((run, number) => runTraces(run, number, axis.column)),
    bareLayout(520, {
      showlegend: true,
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      margin: { l: 56, r: 14, t: 40, b: 46 },
      hovermode: "closest",
      xaxis: {
        type: "log",
        range,
        title: { text: escapeLabel(axis.title), standoff: 8 },
        ...logTicks(10 ** range[0], 10 ** range[1], (value) => tick(value, axis.unit)),
      },
      yaxis: {
        range: frontsRange(),
        title: { text: `validation MAE, ${escapeLabel(data.run.unit)}`, standoff: 6 },
      },
    }),
    CONFIG,
  );
}

document.getElementById("axes").hidden = false;
for (const radio of document.querySelectorAll("input[name=x]")) {
  radio.checked = radio.value === shownAxis;
  radio.addEventListener("change", () => {
    shownAxis = radio.value;
    drawFronts();
  });
}
figure(document.getElementById("fronts-chart"), drawFronts, { now: true });
