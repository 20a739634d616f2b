// One network: its stages to scale, recipe, learning curve, predictions, errors by group, lineage, command.
const RECIPE = {
  method: "method",
  kl_over_bins: "KL over bins",
  lambda_l1: "weight of the L1 term",
  label_deviation: "deviation of the targets",
  learning_rate: "learning rate",
  weight_decay: "weight decay",
  batch_size: "images per batch",
  train_images: "training images",
  shift_pixels: "shift, pixels",
};

function field(name, row) {
  const varied = under(data.recipe.varied, name);
  return varied ? varied[row] : under(data.recipe.same, name);
}

function definition(rows) {
  return element(
    "dl",
    {},
    ...rows.flatMap(([term, content]) => [element("dt", {}, term), element("dd", {}, ...[content].flat())]),
  );
}

// Of ResNet-50, the deepest network here, several times as many; a forged depth would draw for ever.
const MOST_DRAWN = 400;

// Each convolution as a block: as wide as it has channels, as high as its feature map.
function stages(own) {
  const known =
    own.network === "compact"
      ? [own.widths, own.depths]
      : own.network.startsWith("vgg16")
        ? [
            [64, 128, 256, 512, 512],
            [2, 2, 3, 3, 3],
          ]
        : null;
  if (!known) return element("p", {}, "Its stages are not drawn: they are not in the run's table.");
  const layers = known[1].reduce((sum, depth) => sum + depth, 0);
  if (!(layers <= MOST_DRAWN)) return element("p", {}, `Its ${grouped(layers)} layers are too many to draw.`);
  const [widths, depths] = known,
    W = 640,
    H = 150;
  const channels = widths.reduce((sum, width, stage) => sum + width * depths[stage], 0);
  const gaps = 14 * (widths.length - 1) + depths.reduce((a, b) => a + b, 0);
  const scale = (W - gaps) / channels;
  const parts = [];
  let x = 0;
  widths.forEach((width, stage) => {
    const side = own.resolution / 2 ** stage,
      height = Math.max((side / own.resolution) * H, 3),
      start = x;
    for (let layer = 0; layer < depths[stage]; layer++) {
      parts.push(
        svg("rect", {
          x: x.toFixed(1),
          y: ((H - height) / 2).toFixed(1),
          width: Math.max(width * scale, 0.8).toFixed(1),
          height: height.toFixed(1),
          class: `stage s${stage % 5}`,
        }),
      );
      x += width * scale + 1;
    }
    const middle = Math.min(Math.max((start + x) / 2, 26), W - 26).toFixed(1);
    parts.push(
      svg("text", { x: middle, y: H + 16 + (stage % 2) * 30, class: "middle" }, `${depths[stage]} \u00d7 ${width}`),
      svg(
        "text",
        { x: middle, y: H + 29 + (stage % 2) * 30, class: "middle soft" },
        `${Number(side.toPrecision(3))} px`,
      ),
    );
    x += 14;
  });
  const label = `Convolutions: ${widths.map((width, s) => `${depths[s]} of ${width} channels at ${Number((own.resolution / 2 ** s).toPrecision(3))} pixels`).join(", ")}`;
  return svg(
    "svg",
    {
      class: "picture stages",
      viewBox: `0 0 ${W} ${H + 66}`,
      role: "img",
      "aria-label": label,
    },
    ...parts,
  );
}

function headline(row, own) {
  const test = known(own.test) ? `; test MAE ${mae(own.test)}` : "";
  const pass = known(own.one_pass)
    ? ` Its own training erred by ${mae(own.val)} with the mirror images, and by ${mae(own.one_pass)} in one pass.`
    : "";
  const error = finished(row)
    ? `Validation MAE ${errorWithInterval(row)}${test}.${pass}`
    : known(own.val)
      ? `${own.status}: ${own.cause}. Its validation MAE was ${mae(own.val)} then.`
      : `${own.status}: ${own.cause || "no cause was recorded"}.`;
  const worst = own.worst_group
    ? ` Of the worst group, ${own.worst_group[0]} (${grouped(own.worst_group[1])} people): ${mae(own.worst)}.`
    : "";
  return element(
    "p",
    {},
    element("b", {}, own.id),
    ` is ${finished(row) ? statusInWords(row) : own.status}. ${error}${worst}`,
  );
}

function trainingInWords(own) {
  if (isParent(rowOf.get(own.id))) return `${count(own.epochs_requested, "epoch")} in another run, seed ${own.seed}`;
  if (own.stage === "int8" && !own.epochs) return `none: made in ${duration(own.seconds)}`;
  const start = own.slice_of ? `from its slice of ${own.slice_of}, ` : "";
  return `${start}${count(own.epochs, "epoch")} of ${own.epochs_requested} in ${duration(own.seconds)}, seed ${own.seed}`;
}

function costs(own) {
  const speed = known(own.ms)
    ? `${digits(own.ms)} ms per image, ${digits(own.speedup?.[0])}${TIMES} as fast as VGG-16 (${digits(own.speedup?.[1])} to ${digits(own.speedup?.[2])}), at ${data.run.timed}`
    : "not measured";
  return definition([
    ["Design", designOf(rowOf.get(own.id))],
    ["Parameters", known(own.params) ? grouped(own.params) : MISSING],
    ["Multiply-adds", `${quantity(own.macs)} at ${own.resolution} px`],
    ["Bytes", known(own.bytes) ? grouped(own.bytes) : MISSING],
    ["Latency", speed],
    ["Training", trainingInWords(own)],
  ]);
}

function recipeList(row) {
  const shown = (value) => {
    if (value === null || value === undefined) return "none";
    return String(typeof value === "number" ? Number(value.toPrecision(6)) : value);
  };
  const rows = (names) =>
    names.map((name) => [under(RECIPE, name) ?? name.replaceAll("_", " "), shown(field(name, row))]);
  const same = element(
    "details",
    {},
    element("summary", {}, "The same for all trials"),
    definition(rows(Object.keys(data.recipe.same))),
  );
  return [definition(rows(Object.keys(data.recipe.varied))), same];
}

function lineageList(own) {
  const children = trials.id.filter((_, row) => trials.parent[row] === own.id);
  const rows = [];
  if (own.parent) rows.push(["Made from", [trialButton(own.parent)]]);
  if (children.length)
    rows.push([
      "Made from it",
      children.flatMap((id, i) => [
        i ? ", " : "",
        trialButton(id),
        ` (${isSearched(rowOf.get(id)) ? "pruned" : trials.stage[rowOf.get(id)]})`,
      ]),
    ]);
  const again = under(data.confirmations, own.id) ?? [];
  if (again.length) {
    rows.push([
      "Trained again",
      again.map(
        ([id, seed, status, val, test]) =>
          `${id}, seed ${seed}: ${status === "finished" ? `validation ${mae(val)}${known(test) ? `, test ${mae(test)}` : ""}` : status}. `,
      ),
    ]);
  }
  return rows.length ? definition(rows) : element("p", {}, "Suggested by the search itself; nothing was made from it.");
}

function repeatCommand(row, own) {
  const words = [...data.run.repeat];
  for (const name of data.run.vary) {
    const value =
      name === "widths" || name === "depths" ? own[name] : name === "network" ? own.network : field(name, row);
    words.push("--set", `vary.${name}={choices: [${JSON.stringify(value ?? null)}]}`);
  }
  if (data.run.vary.includes("network") && own.network === "compact")
    words.push("--set", `widths=${JSON.stringify(own.widths)}`, "--set", `depths=${JSON.stringify(own.depths)}`);
  return shell([...words, "--seed", String(own.seed)]);
}

function repeating(row, own) {
  if (isParent(row))
    return element(
      "p",
      {},
      "It was trained in another run, which this one was given with ",
      element("code", {}, "--parent"),
      ", and is measured anew on validation here.",
    );
  if (!isMade(row)) return commandLine(repeatCommand(row, own), "the command that repeats this training");
  if (own.stage === "int8")
    return commandLine(
      shell(["suite", "compress", data.run.folder, "--trial", own.parent, "--int8"]),
      "the command that repeats this step",
    );
  return element(
    "p",
    {},
    `It was made from ${own.parent} by `,
    element("code", {}, "suite compress"),
    `; its options are in `,
    element("code", {}, `weights/${own.id}.${own.stage === "distilled" ? "student" : "pruning"}.json`),
    " of the run's folder.",
  );
}

// Of fewer than 15 people a share says nothing.
function percent(share) {
  return known(share) ? `${Math.round(share)} %` : "too few people";
}

function coverageText(predictions) {
  if (!predictions.coverage) return [];
  const { share, width } = predictions.coverage;
  return [
    element(
      "p",
      {},
      `Its 80 % intervals, calibrated on validation, hold ${percent(share)} of these labels and are ${mae(width)} wide in the median.`,
      predictions.split === "test" ? "" : " They were fitted on these images.",
    ),
  ];
}

function overallText(predictions) {
  const [, , people, error, low, high] = predictions.overall;
  const over = predictions.trainings.length > 1 ? "trainings and people" : "people, for this one training";
  const interval = known(low) ? ` (95\u00a0% interval ${mae(low, { unit: false })} to ${mae(high)})` : "";
  return `The MAE of the ${count(people, "person", "people")} is ${mae(error)}${interval}. Intervals are over ${over}, not over images.`;
}

function groupTables(predictions) {
  return predictions.groups.map(([by, rows]) => {
    const coverage = predictions.coverage ? under(predictions.coverage.groups, by) : null;
    const heads = [by, "images", "people", `MAE, ${data.run.unit}`, "95 % interval"];
    if (coverage) heads.push("in their 80 % interval");
    return tableBox(
      `Error by ${by}`,
      heads,
      rows.map(([group, images, people, error, low, high], row) => [
        group,
        grouped(images),
        grouped(people),
        mae(error, { unit: false }),
        known(low) ? `${mae(low, { unit: false })} to ${mae(high, { unit: false })}` : "too few people",
        ...(coverage ? [percent(coverage[row])] : []),
      ]),
      { caption: `Error by ${by}` },
    );
  });
}

// Decisions by an estimated age: all cells are text that the page was made with.
function thresholdTables(predictions) {
  if (!predictions.threshold) return [];
  const { rule, tables } = predictions.threshold;
  const one = ([by, heads, rows]) =>
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": `Decisions by age, ${by}` },
      element(
        "table",
        {},
        element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
        element(
          "tbody",
          {},
          ...rows.map(([group, ...cells]) =>
            element(
              "tr",
              {},
              element("th", { scope: "row" }, group),
              ...cells.map((cell) => element("td", {}, cell)),
            ),
          ),
        ),
      ),
    );
  return [element("h3", {}, "Decisions by age"), element("p", {}, rule), ...tables.map(one)];
}

function predicted(own) {
  const predictions = under(data.predictions, own.id);
  if (!predictions) {
    return [
      element(
        "p",
        {},
        "No predictions of it are kept: the run's folder has them for networks that the test split was read for, in runs of this version of the suite.",
      ),
    ];
  }
  const split = predictions.split === "test" ? "test" : "validation";
  const [first, ...others] = predictions.trainings;
  let by = first === own.id ? "" : ` By ${first}.`;
  if (others.length)
    by = ` Errors are means over ${count(predictions.trainings.length, "training")}, image by image; the points are of ${first}.`;
  const drawnOf =
    predictions.drawn.length < predictions.images
      ? `${predictions.drawn.length} of the ${grouped(predictions.images)}`
      : `the ${grouped(predictions.images)}`;
  return [
    element("p", {}, `On ${drawnOf} images of the ${split} split.${by} ${overallText(predictions)}`),
    element("figure", {
      class: "chart",
      id: "predicted-chart",
      role: "img",
      "aria-label": `Predicted against true, ${split} split`,
    }),
    ...coverageText(predictions),
    ...groupTables(predictions),
    ...thresholdTables(predictions),
  ];
}

function drawPredicted(own) {
  const chart = document.getElementById("predicted-chart"),
    { drawn: pairs } = under(data.predictions, own.id);
  const values = pairs.flat(),
    low = Math.min(...values),
    high = Math.max(...values);
  Plotly.react(
    chart,
    [
      {
        x: [low, high],
        y: [low, high],
        mode: "lines",
        type: "scatter",
        line: { color: colour("--others"), dash: "dash", width: 1.3 },
        hoverinfo: "skip",
      },
      {
        x: pairs.map((pair) => pair[0]),
        y: pairs.map((pair) => pair[1]),
        mode: "markers",
        type: "scatter",
        marker: { color: colour("--front"), size: 6, opacity: 0.6 },
        hovertemplate: "true %{x}, predicted %{y}<extra></extra>",
      },
    ],
    bareLayout(340, {
      xaxis: { title: { text: `true, ${escapeLabel(data.run.unit)}`, standoff: 6 } },
      yaxis: {
        title: { text: `predicted, ${escapeLabel(data.run.unit)}`, standoff: 6 },
      },
    }),
    CONFIG,
  );
}

function drawCurve(row) {
  const chart = document.getElementById("curve-chart");
  const line = (values, name, look, symbol) => ({
    x: values.map((_, i) => i + 1),
    y: values,
    name,
    mode: "lines+markers",
    type: "scatter",
    line: look,
    marker: { symbol, size: 7 },
    hovertemplate: `${name}, epoch %{x}: %{y}<extra></extra>`,
  });
  const [val, train] = [data.curves.val[row], data.curves.train[row]];
  Plotly.react(
    chart,
    [
      line(val, "validation MAE", { color: colour("--front"), width: 2 }, "circle"),
      line(
        train,
        "mean |error| on training batches",
        { color: colour("--others"), width: 1.5, dash: "dot" },
        "diamond",
      ),
    ],
    bareLayout(300, {
      showlegend: true,
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      margin: { l: 56, r: 14, t: 34, b: 46 },
      xaxis: {
        title: { text: "epoch", standoff: 6 },
        ...(val.length <= 12 ? { dtick: 1 } : {}),
      },
      yaxis: { title: { text: escapeLabel(data.run.unit), standoff: 6 } },
    }),
    CONFIG,
  );
}

function showNetwork() {
  const row = rowOf.get(state.trial) ?? networkToShip() ?? 0;
  const target = document.getElementById("network-body");
  for (const id of ["curve-chart", "predicted-chart"]) {
    const before = document.getElementById(id);
    drawers.delete(before);
    drawn.delete(before);
  }
  if (!trials.id.length) {
    target.replaceChildren(element("p", {}, "No trial has ended."));
    return;
  }
  const own = at(row),
    hasCurve = data.curves.val[row].length > 0;
  document.getElementById("network-id").value = own.id;
  const column = (title, ...content) => element("div", {}, element("h3", {}, title), ...content);
  target.replaceChildren(
    headline(row, own),
    stages(own),
    element("div", { class: "pair" }, column("Costs", costs(own)), column("Recipe", ...recipeList(row))),
    element(
      "div",
      { class: "pair" },
      column(
        "Learning curve",
        hasCurve
          ? element("figure", {
              class: "chart",
              id: "curve-chart",
              role: "img",
              "aria-label": `Error of ${own.id} after each epoch`,
            })
          : element("p", {}, "No epoch was recorded."),
        element("h3", {}, "Lineage"),
        lineageList(own),
      ),
      column("Predicted against true", ...predicted(own)),
    ),
    element("h3", {}, "The command that repeats it"),
    repeating(row, own),
    ...(finished(row)
      ? [
          element("h3", {}, "The command that exports it"),
          commandLine(exportCommand(row), "the command that exports this network"),
        ]
      : []),
  );
  if (hasCurve) figure(document.getElementById("curve-chart"), () => drawCurve(row));
  if (under(data.predictions, own.id)) figure(document.getElementById("predicted-chart"), () => drawPredicted(own));
}

function startNetwork() {
  for (const name in data.recipe.varied) data.recipe.varied[name] = decoded(data.recipe.varied[name]);
  document.getElementById("network").hidden = false;
  const input = document.getElementById("network-id");
  const list = document.getElementById("network-ids");
  const front = trials.id.filter((_, row) => trials.front[row] || !isSearched(row));
  list.append(...[...new Set([...front, ...trials.id.slice(0, 200)])].map((id) => element("option", { value: id })));
  input.addEventListener("change", () => {
    const isThere = rowOf.has(input.value.trim());
    input.setAttribute("aria-invalid", !isThere);
    if (isThere) choose({ trial: input.value.trim() });
  });
  listeners.push((changed) => {
    const isOther = ["limits", "take", "tolerance"].some((name) => changed.has(name));
    if (changed.has("trial") || (!state.trial && isOther)) showNetwork();
  });
  showNetwork();
}
