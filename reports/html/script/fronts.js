// The fronts of several runs over each other: a colour, a mark and a dash for each.
const LOOKS = [["--front", "circle", "solid"], ["--tiny", "diamond", "dash"], ["--made", "square", "dot"], ["--published", "triangle-up", "dashdot"], ["--soft", "cross", "longdash"]];
const MOST_PALE = 400;
let shownAxis = "params";

function runTraces(run, number, column) {
  const [name, symbol, dash] = LOOKS[number % LOOKS.length], paint = colour(name), own = run.trials;
  const all = own.id.map((_, place) => place).filter((place) => known(own.error[place]) && own[column][place] > 0);
  const front = all.filter((place) => own.front[place]).sort((a, b) => own[column][a] - own[column][b] || own.error[a] - own.error[b]);
  const rest = all.filter((place) => !own.front[place]);
  const pale = rest.filter((_, i) => i % Math.ceil(rest.length / MOST_PALE || 1) === 0);
  let best = Infinity;
  const line = front.filter((place) => own.error[place] < best && ((best = own.error[place]), true));
  const hover = (place) => `<b>${plain(own.id[place])}</b> of ${plain(run.name)}<br>validation MAE ${mae(own.error[place])}<br>${quantity(own.params[place])} parameters, ${quantity(own.macs[place])} multiply-adds`;
  const marks = (places, marker, more) => ({ x: places.map((place) => own[column][place]), y: places.map((place) => own.error[place]), mode: "markers", type: "scatter",
    hovertext: places.map(hover), hoverinfo: "text", marker: { symbol, color: paint, ...marker }, ...more });
  const reach = (place, side) => {
    const end = own.interval[place]?.[side];
    return known(end) ? Math.abs(end - own.error[place]) : 0;
  };
  return [marks(pale, { size: 5, opacity: 0.25 }, { showlegend: false, hoverinfo: "skip" }),
    { x: line.map((place) => own[column][place]), y: line.map((place) => own.error[place]), mode: "lines", type: "scatter", showlegend: false, hoverinfo: "skip", line: { color: paint, dash, width: 1.8, shape: "hv" } },
    marks(front, { size: 11, line: { width: 1.2, color: colour("--ground") } }, { name: plain(run.name),
      error_y: { type: "data", array: front.map((place) => reach(place, 1)), arrayminus: front.map((place) => reach(place, 0)), color: paint, thickness: 1.2, width: 4, visible: front.some((place) => own.interval[place]) } })];
}

// The chart's errors: all fronts, with a little room; far outliers of the others would leave none.
function frontsRange() {
  const errors = data.runs.flatMap((run) => run.trials.error.filter((error, place) => run.trials.front[place] && known(error)));
  if (!errors.length) return undefined;
  const [low, high] = [Math.min(...errors), Math.max(...errors)], room = 0.18 * (high - low) || 0.1 * high;
  return [low - room, high + 2 * room];
}

function drawFronts() {
  const axis = data.axes.find((one) => one.column === shownAxis), values = data.runs.flatMap((run) => run.trials[axis.column].filter((value) => value > 0));
  const low = values.reduce((a, b) => Math.min(a, b), Infinity), high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const range = values.length ? [Math.log10(low) - 0.1, Math.log10(high) + 0.1] : [0, 1];
  Plotly.react("fronts-chart", data.runs.flatMap((run, number) => runTraces(run, number, axis.column)), bareLayout(520, {
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 56, r: 14, t: 40, b: 46 }, hovermode: "closest",
    xaxis: { type: "log", range, title: { text: plain(axis.title), standoff: 8 }, ...logTicks(10 ** range[0], 10 ** range[1], (value) => tick(value, axis.unit)) },
    yaxis: { range: frontsRange(), title: { text: `validation MAE, ${plain(data.run.unit)}`, standoff: 6 } } }), CONFIG);
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
