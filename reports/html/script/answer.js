// The answer: under the reader's limits, the network to ship, what it costs, and the command that exports it.
const WORDS = {
  error: "error",
  params: "parameters",
  macs: "multiply-adds",
  bytes: "bytes",
  ms: "latency",
};

function within(row) {
  return Object.entries(state.limits).every(([name, limit]) => known(trials[name][row]) && trials[name][row] <= limit);
}

// Where the front was confirmed, single trainings of the search come last: a lucky one must not beat a mean.
function candidates() {
  const inside = trials.id.map((_, row) => row).filter((row) => finished(row) && within(row));
  if (!data.run.confirmed) return inside;
  const sure = inside.filter((row) => trials.interval[row] || !isSearched(row));
  return sure.length ? sure : inside;
}

function networkToShip() {
  const choice = candidates().filter((row) => known(trials[state.take][row]));
  const by = (row) => [trials[state.take][row], trials.error[row], trials.params[row]];
  let best = null;
  for (const row of choice) {
    if (best === null || less(by(row), by(best))) best = row;
  }
  return best;
}

function less(a, b) {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] < b[i];
  return false;
}

function errorWithInterval(row) {
  const interval = trials.interval[row];
  if (!interval) return `${mae(trials.error[row])} (one training, so no interval)`;
  const [low, high, seeds] = interval;
  if (!known(low)) return `${mae(trials.error[row])} (${count(seeds, "seed")}, so no interval)`;
  return `${mae(trials.error[row])} (95${NBSP}% interval ${mae(low, { unit: false })} to ${mae(high)}, ${count(seeds, "seed")})`;
}

// A ratio to a network of the paper, in words: "36.3x fewer".
function ratioInWords(own, other, less = "fewer", more = "more") {
  if (!known(own) || !known(other) || !(own > 0)) return MISSING;
  if (digits(Math.max(other / own, own / other)) === "1.00") return "the same";
  return other > own ? `${digits(other / own)}${TIMES} ${less}` : `${digits(own / other)}${TIMES} ${more}`;
}

// "36.3x fewer parameters than VGG-16, 0.40 years worse", for each of the paper's networks.
function ratiosInWords(own) {
  const size = (network) =>
    own.params === network.params
      ? `as many parameters as ${network.name}`
      : `${ratioInWords(own.params, network.params)} parameters than ${network.name}`;
  const counted = data.networks.filter((network) => known(network.params)),
    untrained = counted.filter((network) => !known(network.error));
  const parts = counted
    .filter((network) => known(network.error))
    .map((network) =>
      network.trial === own.id
        ? `this is ${network.name} itself`
        : `${size(network)}, ${errorDifference(own.error - network.error)}`,
    );
  if (untrained.length) {
    parts.push(
      `${untrained.map(size).join(" and ")} (${untrained.length > 1 ? "which were" : "which was"} not trained in this run)`,
    );
  }
  const text = parts.join("; ");
  return text ? element("p", { class: "lead" }, `${text[0].toUpperCase()}${text.slice(1)}.`) : null;
}

function ratioTable(row) {
  const heads = ["beside", "error", "parameters", "multiply-adds", "bytes", "latency"];
  const own = at(row);
  const rows = data.networks.map((network) => {
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, network.name),
      element("td", { class: "text" }, errorComparison(own, network)),
      element("td", {}, ratioInWords(own.params, network.params)),
      element("td", {}, ratioInWords(own.macs, network.macs)),
      element("td", {}, ratioInWords(own.bytes, network.bytes)),
      element("td", {}, latencyRatio(own, network)),
    );
  });
  const table = element(
    "table",
    { class: "beside" },
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows),
  );
  return element(
    "div",
    {
      class: "scroll",
      tabindex: "0",
      role: "region",
      "aria-label": "Beside the paper's networks",
    },
    table,
  );
}

function errorComparison(own, network) {
  if (network.trial === own.id) return "it is this one";
  if (!known(network.error)) return "not trained here";
  return errorDifference(own.error - network.error, ` than ${network.trial}`, ` as ${network.trial}`);
}

// For VGG-16 the median ratio of paired rounds, as in the sentence above; the ratio of two medians would differ.
function latencyRatio(own, network) {
  const paired = network.key === "vgg16" && own.speedup;
  return paired
    ? ratioInWords(1, own.speedup[0], "faster", "slower")
    : ratioInWords(own.ms, network.ms, "faster", "slower");
}

function errorDifference(difference, than = "", as = "") {
  const size = mae(Math.abs(difference));
  if (Number.parseFloat(size) === 0) return `the same error${as}`;
  return `${size} ${difference > 0 ? "worse" : "better"}${than}`;
}

// Quote words for a POSIX shell.
function shell(words) {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(" ");
}

function exportCommand(row) {
  const { id, stage, parent } = at(row);
  const run = data.run.folder;
  if (stage === "int8") return shell(["suite", "export", run, "--trial", parent, "--int8", "-o", `${id}.onnx`]);
  return shell(["suite", "export", run, "--trial", id, "-o", `${id}.onnx`]);
}

// A text as words that no line break splits at a hyphen.
function unbroken(text) {
  return text.split(" ").flatMap((word, n) => [n ? " " : "", element("span", { class: "word" }, word)]);
}

function commandLine(text, label) {
  const status = element("span", { role: "status", class: "said" });
  const copy = element(
    "button",
    {
      type: "button",
      "aria-label": `Copy: ${label}`,
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(text);
          status.textContent = "copied";
        } catch {
          status.textContent = "select the text to copy it";
        }
      },
    },
    "Copy",
  );
  return element(
    "div",
    { class: "command" },
    element("pre", { tabindex: "0", "aria-label": label }, element("code", {}, ...unbroken(text))),
    copy,
    status,
  );
}

function limitsInWords() {
  const parts = Object.entries(state.limits).map(([name, limit]) => {
    if (name === "error") return `an error of at most ${mae(limit)}`;
    const axis = data.axes.find((one) => one.column === name);
    return `at most ${cost(limit, axis)}${axis.unit === "" ? ` ${WORDS[name]}` : name === "ms" ? " an image" : ""}`;
  });
  return parts.length ? `With ${parts.join(" and ")}` : "Without limits";
}

function showAnswer() {
  const target = document.getElementById("shipped");
  const row = networkToShip();
  if (row === null) {
    target.replaceChildren(
      element("p", { class: "lead" }, `${limitsInWords()}, no network of this run remains. ${nearest()}`),
    );
    return;
  }
  const own = at(row);
  const lowest = ["error", "ms"].includes(state.take)
    ? `the lowest ${WORDS[state.take]}`
    : `the fewest ${WORDS[state.take]}`;
  const speed = known(own.ms)
    ? `, ${digits(own.ms)}${NBSP}ms per image (${own.speedup ? `${digits(own.speedup[0]) + TIMES} as fast as VGG-16` : ""}; ${data.run.timed})`
    : ", speed not measured";
  let made = isMade(row) ? `, ${own.stage} from ${own.parent}` : "";
  if (isParent(row)) made = ", the network that the search pruned";
  const test = known(own.test) ? ` Test MAE ${mae(own.test)}, read once.` : "";
  const lead = element(
    "p",
    { class: "lead" },
    `${limitsInWords()}, ship `,
    element("b", {}, trialButton(own.id)),
    `: ${lowest}${made}. Validation MAE `,
    element("b", {}, errorWithInterval(row)),
    `, ${quantity(own.params)} parameters, ${quantity(own.bytes, "B")}, ${quantity(own.macs)} multiply-adds${speed}.${test}`,
  );
  const caution =
    data.run.confirmed && !trials.interval[row]
      ? element(
          "p",
          { class: "banner" },
          "One training with one seed: its rank may be luck, unlike that of the confirmed members of the front.",
        )
      : null;
  target.replaceChildren(
    ...[
      lead,
      ratiosInWords(own),
      caution,
      ratioTable(row),
      element("h3", {}, "The command that exports it"),
      commandLine(exportCommand(row), "the command that exports it"),
    ].filter(Boolean),
  );
}

// The limits of which loosening one alone would let a network in, and to what value.
function nearest() {
  const parts = Object.entries(state.limits)
    .map(([name]) => {
      const others = { ...state.limits };
      delete others[name];
      const left = trials.id
        .map((_, p) => p)
        .filter(
          (p) =>
            finished(p) &&
            known(trials[name][p]) &&
            Object.entries(others).every(([n, l]) => known(trials[n][p]) && trials[n][p] <= l),
        );
      if (!left.length) return null;
      const least = Math.min(...left.map((p) => trials[name][p]));
      const axis = data.axes.find((one) => one.column === name);
      return `${axis ? cost(least, axis) : mae(least)} (${WORDS[name]})`;
    })
    .filter(Boolean);
  return parts.length ? `Loosening one limit would be enough, at least to ${parts.join(" or ")}.` : "";
}

function startAnswer() {
  const form = document.getElementById("limits");
  if (!form) return;
  form.hidden = false;
  const show = () => {
    for (const name of LIMITS) {
      const input = form.elements[`max-${name}`];
      if (document.activeElement !== input) input.value = known(state.limits[name]) ? state.limits[name] : "";
    }
    form.elements.take.value = state.take;
    showAnswer();
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const limits = {};
    for (const name of LIMITS) {
      const input = form.elements[`max-${name}`];
      const value = amount(input.value);
      const wrong = input.value.trim() !== "" && !known(value);
      input.setAttribute("aria-invalid", wrong);
      if (known(value)) limits[name] = value;
    }
    choose({ limits, take: form.elements.take.value });
  });
  form.querySelector("button[type=reset]").addEventListener("click", () => {
    for (const name of LIMITS) form.elements[`max-${name}`].value = "";
    choose({ limits: {}, take: "error" });
  });
  listeners.push((changed) => {
    if (changed.has("limits") || changed.has("take")) show();
  });
  show();
}

readAddress();
startAnswer();
