// Figures are drawn when they come near the window; those that Python made lie in the page as JSON.
const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 600px)");
const drawers = new Map(); // target -> how it is drawn
const drawn = new Set();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Colours of reports/figures/style.py, and the variable of the style sheet that has them for light and dark.
const THEMED = {
  "#2f6fdb": "--front",
  "#9a35bb": "--published",
  "#ffffff": "--ground",
};
const CONFIG = { displayModeBar: false, responsive: true };

// The layout of style.bare_figure: a transparent ground, so that the page's shows, light or dark.
function bareLayout(height, changes = {}) {
  const axis = {
    gridcolor: "rgba(128,128,128,0.22)",
    zeroline: false,
    linecolor: "rgba(128,128,128,0.6)",
    showline: true,
  };
  const { xaxis, yaxis, ...rest } = changes;
  return {
    height,
    margin: { l: 56, r: 14, t: 8, b: 46 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { size: 12, family: "system-ui, sans-serif", color: colour("--ink") },
    hoverlabel: { align: "left" },
    dragmode: false,
    showlegend: false,
    xaxis: {
      ...axis,
      ticks: "outside",
      ticklen: 4,
      tickcolor: axis.linecolor,
      ...xaxis,
    },
    yaxis: { ...axis, ...yaxis },
    ...rest,
  };
}

// Plotly interprets some HTML in its texts.
function escapeLabel(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// Ticks of a logarithmic axis from low to high: decades, or finer.
function logTicks(low, high, label) {
  let ticks = [];
  for (const steps of [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 7, 8]]) {
    ticks = [];
    for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); decade++) {
      ticks.push(...steps.map((step) => step * 10 ** decade));
    }
    ticks = ticks.filter((value) => value >= low * 1.01 && value <= high * 0.99);
    if (ticks.length >= 4) break;
  }
  return { tickvals: ticks, ticktext: ticks.map(label) };
}

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      redraw(entry.target);
    }
  },
  { rootMargin: "300px" },
);

function redraw(target) {
  drawn.add(target);
  drawers.get(target)();
}

// Register the function that draws a figure, and call it at once or when the figure comes near the window.
function figure(target, draw, { now = false } = {}) {
  drawers.set(target, draw);
  if (now) redraw(target);
  else near.observe(target);
}

function redrawAll() {
  for (const target of drawn) redraw(target);
}

for (const query of [dark, narrow]) query.addEventListener("change", redrawAll);
window.addEventListener("beforeprint", () => {
  for (const target of drawers.keys()) if (!drawn.has(target)) redraw(target);
});

function startFigures() {
  for (const target of document.querySelectorAll("figure.chart")) {
    const source = target.querySelector("script");
    if (!source) continue;
    source.remove();
    target.style.minHeight = `${target.dataset.height}px`;
    figure(target, () => {
      let json = source.textContent;
      for (const [from, to] of Object.entries(THEMED)) json = json.replaceAll(`"${from}"`, `"${colour(to)}"`);
      const { data: traces, layout } = JSON.parse(json);
      layout.font.color = colour("--ink");
      Plotly.react(target, traces, layout, CONFIG);
    });
  }
}
