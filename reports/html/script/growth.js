// The front's hypervolume against the trials that had ended, or against what had been spent on trainings by then.
const SPENT_IN_WORDS = {
  ended: "trials that had ended",
  epochs: "epochs of networks trained",
  macs: "multiply-adds of forward passes",
};

function spentText(value) {
  return state.spent === "macs" ? quantity(value) : grouped(value);
}

function drawGrowth() {
  const chart = document.getElementById("growth-chart"),
    { shares, slices } = data.growth,
    xs = data.growth[state.spent];
  const sentence = (x, share) => `after ${spentText(x)} ${SPENT_IN_WORDS[state.spent]}: ${share.toFixed(3)}`;
  const traces = [
    {
      x: xs,
      y: shares,
      mode: "lines",
      type: "scatter",
      name: "front of the trials",
      line: { color: colour("--front"), width: 2, shape: "hv" },
      hovertext: xs.map((x, place) => sentence(x, shares[place])),
      hoverinfo: "text",
    },
  ];
  if (slices)
    traces.push({
      x: [slices[state.spent]],
      y: [slices.share],
      mode: "markers",
      type: "scatter",
      name: "front of the slices",
      cliponaxis: false,
      marker: { color: colour("--slice"), size: 10, symbol: "circle-open", line: { width: 2 } },
      hovertext: [`the scored slices as they are, ${sentence(slices[state.spent], slices.share)}`],
      hoverinfo: "text",
    });
  Plotly.react(
    chart,
    traces,
    bareLayout(240, {
      hovermode: "closest",
      xaxis: {
        title: { text: SPENT_IN_WORDS[state.spent], standoff: 6 },
        rangemode: "tozero",
        exponentformat: "SI",
        ...(state.spent === "ended" && xs.at(-1) <= 10 ? { dtick: 1 } : {}),
      },
      yaxis: { title: { text: "share of the box", standoff: 6 }, nticks: 5 },
    }),
    CONFIG,
  );
}

function startGrowth() {
  const chart = document.getElementById("growth-chart");
  if (!data.growth || data.growth.ended.length < 2) return;
  figure(chart, drawGrowth);
  const radios = document.querySelectorAll("input[name=spent]");
  const follow = () => {
    for (const radio of radios) radio.checked = radio.value === state.spent;
  };
  document.getElementById("spent").hidden = false;
  for (const radio of radios) radio.addEventListener("change", () => choose({ spent: radio.value }));
  follow();
  listeners.push((changed) => {
    if (!changed.has("spent")) return;
    follow();
    if (drawn.has(chart)) drawGrowth();
  });
}
