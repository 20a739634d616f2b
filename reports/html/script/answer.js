// The answer: under the reader's limits, the network to ship, what it costs, and the command that exports it.
const WORDS = {
  error: "error",
  worst: "error of the worst group",
  params: "parameters",
  macs: "multiply-adds",
  bytes: "bytes",
  ms: "latency",
};

// A network that errs more for its worst group than the run's own bound allows is never the answer.
function within(row) {
  return !trials.outside[row] && Object.entries(state.limits).every(([name, limit]) => known(trials[name][row]) && trials[name][row] <= limit);
}

// How far behind the best of the others a confirmed network is: the ends of an interval; null for other networks.
function behindBest(row) {
  return (data.verdict && under(data.verdict.against, trials.id[row])) ?? null;
}

function isNearBest(row) {
  const behind = behindBest(row);
  return behind !== null && known(behind[1]) && behind[1] <= state.tolerance;
}

function isWorseThanBest(row) {
  const [low, high] = behindBest(row);
  return low === 0 && high > 0;
}

function comparedWithin() {
  return trials.id.map((_, row) => row).filter((row) => finished(row) && within(row) && behindBest(row));
}

// Of confirmed networks that are compared with the best, those near it for certain remain. Where the front was
// confirmed, single trainings come last, those of compressed networks too: a lucky one must not beat a mean.
function candidates() {
  const compared = comparedWithin();
  if (compared.length) return compared.filter(isNearBest);
  const inside = trials.id.map((_, row) => row).filter((row) => finished(row) && within(row));
  if (!data.run.confirmed) return inside;
  const sure = inside.filter((row) => trials.interval[row]);
  return sure.length ? sure : inside;
}

// Whether a network may be named as the one to ship. A single training is a guess, and a short one favours small ones.
function isConfirmed(row) {
  return data.verdict ? behindBest(row) !== null : data.run.confirmed && Boolean(trials.interval[row]);
}

// Whether its error is of as many epochs as those of the paper's networks that it is compared with.
function isComparable(row) {
  return !data.run.confirmed || Boolean(trials.interval[row]);
}

// The smallest is the answer only among networks near the best. Of others, it is the most accurate.
function takenFrom(rows) {
  return data.verdict && state.take === usualTake && !rows.some(behindBest) ? "error" : state.take;
}

function networkToShip() {
  const rows = candidates();
  const take = takenFrom(rows);
  const choice = rows.filter((row) => known(trials[take][row]));
  const by = (row) => [trials[take][row], trials.error[row], trials.params[row]];
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

// What a confirmed mean is over: "3 seeds and 200 people"; its interval is over seeds alone if no people are counted.
function seedsAndPeople([, , seeds, people]) {
  return people ? `${count(seeds, "seed")} and ${count(people, "person", "people")}` : count(seeds, "seed");
}

function errorWithInterval(row) {
  const interval = trials.interval[row];
  if (!interval) return `${mae(trials.error[row])} (one training, so no interval)`;
  const [low, high, seeds] = interval;
  if (!known(low)) return `${mae(trials.error[row])} (${count(seeds, "seed")}, so no interval)`;
  return `${mae(trials.error[row])} (95${NBSP}% interval ${mae(low, { unit: false })} to ${mae(high)}, ${seedsAndPeople(interval)})`;
}

// A ratio to a network of the paper, in words: "36.3x fewer".
function ratioInWords(own, other, less = "fewer", more = "more") {
  if (!known(own) || !known(other) || !(own > 0)) return MISSING;
  if (digits(Math.max(other / own, own / other)) === "1.00") return "the same";
  return other > own ? `${digits(other / own)}${TIMES} ${less}` : `${digits(own / other)}${TIMES} ${more}`;
}

// "36.3x fewer parameters than VGG-16, 0.40 years worse", for each of the paper's networks.
function ratiosInWords(row) {
  const own = at(row);
  const size = (network) =>
    own.params === network.params
      ? `as many parameters as ${network.name}`
      : `${ratioInWords(own.params, network.params)} parameters than ${network.name}`;
  const counted = data.networks.filter((network) => known(network.params));
  const trained = counted.filter((network) => known(network.error) && isComparable(row));
  const parts = trained.map((network) =>
    network.trial === own.id
      ? `this is ${network.name} itself`
      : `${size(network)}, ${errorDifference(own.error - network.error)}`,
  );
  for (const missing of ["not trained", "not confirmed"]) {
    const alike = counted.filter((network) => network.missing === missing);
    if (alike.length) {
      parts.push(
        `${alike.map(size).join(" and ")} (${alike.length > 1 ? "which were" : "which was"} ${missing} in this run)`,
      );
    }
  }
  if (!isComparable(row)) {
    parts.push(...counted.filter((network) => known(network.error)).map(size));
  }
  const text = parts.join("; ");
  return text ? element("p", {}, `${text[0].toUpperCase()}${text.slice(1)}.`) : null;
}

function ratioTable(row) {
  const own = at(row);
  const rows = data.networks.map((network) => [
    network.name,
    errorComparison(row, network),
    ratioInWords(own.params, network.params),
    ratioInWords(own.macs, network.macs),
    ratioInWords(own.bytes, network.bytes),
    latencyRatio(own, network),
  ]);
  const titles = ["beside", "error", "parameters", "multiply-adds", "bytes", "latency"];
  return tableBox("Beside the paper's networks", titles, rows, { words: ["error"], kind: "beside" });
}

function errorComparison(row, network) {
  const own = at(row);
  if (network.trial === own.id) return "it is this one";
  if (!known(network.error)) return `${network.missing} here`;
  if (!isComparable(row)) return "not compared, as this one is not confirmed";
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
  const { id, stage, parent, exported } = at(row);
  const run = data.run.folder;
  if (stage === "int8") return shell(["suite", "export", run, "--trial", parent, "--int8", "-o", `${id}.onnx`]);
  return shell(["suite", "export", run, "--trial", exported, "-o", `${exported}.onnx`]);
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
    if (name === "worst") return `an error of the worst group of at most ${mae(limit)}`;
    const axis = data.axes.find((one) => one.column === name);
    return `at most ${cost(limit, axis)}${axis.unit === "" ? ` ${WORDS[name]}` : name === "ms" ? " an image" : ""}`;
  });
  return parts.length ? `With ${parts.join(" and ")}` : "Without limits";
}

function toleranceInWords() {
  const unit = state.tolerance === 1 ? data.run.unit.slice(0, -1) : data.run.unit;
  return `${Number(state.tolerance.toPrecision(6))} ${unit}`;
}

// Why no network is the answer: none is near the best for certain, or none is within the limits.
function noneInWords() {
  const compared = comparedWithin();
  if (!compared.length || compared.some(isNearBest)) return `no network of this run remains. ${nearest()}`;
  const near = `within ${toleranceInWords()} of`;
  const highest = compared.map((row) => behindBest(row)[1]).filter(known);
  const enough = Math.ceil(Math.min(...highest) * 10 ** data.run.decimals) / 10 ** data.run.decimals;
  const loosened = highest.length ? ` A tolerance of ${mae(enough)} would be enough.` : "";
  if (compared.every(isWorseThanBest)) {
    return `every confirmed network is worse than the best of this run, and none is ${near} it with 95${NBSP}% confidence.${loosened}`;
  }
  const seen = known(data.verdict.detectable)
    ? ` It could have seen differences from ${mae(data.verdict.detectable)} up; more seeds make this smaller.`
    : " It could have seen no difference; it needs more seeds.";
  return `this run cannot tell which network to ship: none is ${near} the best with 95${NBSP}% confidence.${seen}${loosened}`;
}

function takenInWords(row) {
  const take = takenFrom([row]);
  const taken = ["error", "worst", "ms"].includes(take) ? `the lowest ${WORDS[take]}` : `the fewest ${WORDS[take]}`;
  if (!behindBest(row)) return taken;
  return `${taken} of those within ${toleranceInWords()} of the best with 95${NBSP}% confidence (at most ${mae(behindBest(row)[1])} behind)`;
}

// The places of the answer's parts: what is said first, and what stands beside or below the chart of the front.
function place(name, ...parts) {
  document.getElementById(name).replaceChildren(...parts.filter(Boolean));
}

// What stands before and after the name of a network: it is the one to ship only if it is confirmed.
function announced(row) {
  const taken = takenInWords(row);
  if (isConfirmed(row)) return ["ship ", `: ${taken}`];
  if (data.run.confirmed) return ["no confirmed network remains; of the others, ", ` has ${taken}`];
  return ["no network is confirmed, so this run names none to ship. So far ", ` has ${taken}, ${data.run.single}`];
}

// The command that confirms the front of a run that has not confirmed it.
function howToConfirm() {
  if (!data.run.confirm) return [];
  return [
    element("h3", {}, "The command that confirms the front"),
    commandLine(data.run.confirm, "the command that confirms the front"),
  ];
}

function showAnswer() {
  const row = networkToShip();
  if (row === null) {
    place("shipped", element("p", { class: "lead" }, `${limitsInWords()}, ${noneInWords()}`));
    for (const name of ["export", "ratios", "beside"]) place(name);
    return;
  }
  const own = at(row);
  const [before, after] = announced(row);
  const speed = known(own.ms)
    ? `, ${digits(own.ms)}${NBSP}ms per image (${own.speedup ? `${digits(own.speedup[0]) + TIMES} as fast as VGG-16` : ""}; ${data.run.timed})`
    : ", speed not measured";
  let made = isMade(row) ? `, ${own.stage} from ${own.parent}` : "";
  if (isParent(row)) made = ", the network that the search pruned";
  const test = known(own.test) ? ` Test MAE ${mae(own.test)}, read once.` : "";
  const lead = element(
    "p",
    { class: "lead" },
    `${limitsInWords()}, ${before}`,
    element("b", {}, trialButton(own.id)),
    `${after}${made}. Validation MAE `,
    element("b", {}, errorWithInterval(row)),
    `, ${quantity(own.params)} parameters, ${quantity(own.bytes, "B")}, ${quantity(own.macs)} multiply-adds${speed}.${test}`,
  );
  const caution =
    data.run.confirmed && !trials.interval[row]
      ? element(
          "p",
          { class: "banner" },
          `One training with one seed, of ${count(own.epochs, "epoch")}: its rank may be luck, unlike that of the confirmed members of the front.`,
        )
      : null;
  place("shipped", lead, caution);
  place(
    "export",
    ...howToConfirm(),
    element("h3", {}, "The command that exports it"),
    own.exported === own.id
      ? null
      : element("p", {}, "Of its confirming trainings, the one with the lowest validation error."),
    commandLine(exportCommand(row), "the command that exports it"),
  );
  place("ratios", ratiosInWords(row));
  place("beside", ratioTable(row));
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
            !trials.outside[p] &&
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

// The tolerance in the form; the run's own where it is empty or no distance.
function toleranceAsked(form) {
  const input = form.elements.tolerance;
  if (!input) return usualTolerance;
  const value = amount(input.value);
  input.setAttribute("aria-invalid", input.value.trim() !== "" && !(value > 0));
  return value > 0 ? value : usualTolerance;
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
    const tolerance = form.elements.tolerance;
    if (tolerance && document.activeElement !== tolerance) tolerance.value = state.tolerance;
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
    choose({ limits, tolerance: toleranceAsked(form), take: form.elements.take.value });
  });
  form.querySelector("button[type=reset]").addEventListener("click", () => {
    for (const name of LIMITS) form.elements[`max-${name}`].value = "";
    choose({ limits: {}, tolerance: usualTolerance, take: usualTake });
  });
  listeners.push((changed) => {
    if (changed.has("limits") || changed.has("tolerance") || changed.has("take")) show();
  });
  show();
}

readAddress();
startAnswer();
