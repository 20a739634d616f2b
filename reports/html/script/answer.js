// The answer: under the reader's limits, the network to ship, what it costs, and the command that exports it.
const WORDS = { error: "error", params: "parameters", macs: "multiply-adds", bytes: "bytes", ms: "latency" };

function within(place) {
  return Object.entries(state.limits).every(
    ([name, limit]) => known(trials[name][place]) && trials[name][place] <= limit,
  );
}

// Confirmed members, what was made from trials and what these were cut out of come first: a single lucky training must not beat a mean.
function candidates() {
  const inside = trials.id.map((_, place) => place).filter((place) => finished(place) && within(place));
  if (!data.run.confirmed) return inside;
  const sure = inside.filter((place) => trials.interval[place] || !isSearched(place));
  return sure.length ? sure : inside;
}

function toShip() {
  const choice = candidates().filter((place) => known(trials[state.take][place]));
  const by = (place) => [trials[state.take][place], trials.error[place], trials.params[place]];
  let best = null;
  for (const place of choice) {
    if (best === null || less(by(place), by(best))) best = place;
  }
  return best;
}

function less(a, b) {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] < b[i];
  return false;
}

function errorWithInterval(place) {
  const interval = trials.interval[place];
  if (!interval) return `${mae(trials.error[place])} (one training, so no interval)`;
  const [low, high, seeds] = interval;
  if (!known(low)) return `${mae(trials.error[place])} (${count(seeds, "seed")}, so no interval)`;
  return `${mae(trials.error[place])} (95${NBSP}% interval ${mae(low, { unit: false })} to ${mae(high)}, ${count(seeds, "seed")})`;
}

// What stands beside a network of the paper: "36.3x fewer".
function beside(own, other, less = "fewer", more = "more") {
  if (!known(own) || !known(other) || !(own > 0)) return MISSING;
  if (digits(Math.max(other / own, own / other)) === "1.00") return "the same";
  return other > own ? `${digits(other / own)}${TIMES} ${less}` : `${digits(own / other)}${TIMES} ${more}`;
}

// "36.3x fewer parameters than VGG-16, 0.40 years worse", and so on for each of the paper's networks.
function besideInWords(own) {
  const size = (network) => (own.params === network.params ? `as many parameters as ${network.name}`
    : `${beside(own.params, network.params)} parameters than ${network.name}`);
  const counted = data.networks.filter((network) => known(network.params)), untrained = counted.filter((network) => !known(network.error));
  const told = counted.filter((network) => known(network.error)).map((network) =>
    (network.trial === own.id ? `this is ${network.name} itself` : `${size(network)}, ${errorBeside(own.error - network.error)}`));
  if (untrained.length) {
    told.push(`${untrained.map(size).join(" and ")} (${untrained.length > 1 ? "which were" : "which was"} not trained in this run)`);
  }
  const text = told.join("; ");
  return text ? el("p", { class: "lead" }, `${text[0].toUpperCase()}${text.slice(1)}.`) : null;
}

function besideTable(place) {
  const heads = ["beside", "error", "parameters", "multiply-adds", "bytes", "latency"];
  const own = at(place);
  const rows = data.networks.map((network) => {
    const error = network.trial === own.id ? "it is this one"
      : known(network.error) ? errorBeside(own.error - network.error, ` than ${network.trial}`, ` as ${network.trial}`) : "not trained here";
    return el("tr", {},
      el("th", { scope: "row" }, network.name), el("td", { class: "text" }, error),
      el("td", {}, beside(own.params, network.params)), el("td", {}, beside(own.macs, network.macs)),
      el("td", {}, beside(own.bytes, network.bytes)), el("td", {}, latencyBeside(own, network)));
  });
  const table = el("table", { class: "beside" },
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, ...rows));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Beside the paper's networks" }, table);
}

// Beside VGG-16 the median of paired rounds, which the sentence above has, too; it is not the ratio of two medians.
function latencyBeside(own, network) {
  const paired = network.key === "vgg16" && own.speedup;
  return paired ? beside(1, own.speedup[0], "faster", "slower") : beside(own.ms, network.ms, "faster", "slower");
}

function errorBeside(difference, than = "", as = "") {
  const size = mae(Math.abs(difference));
  if (Number.parseFloat(size) === 0) return `the same error${as}`;
  return `${size} ${difference > 0 ? "worse" : "better"}${than}`;
}

// Words as a POSIX shell reads them.
function shell(words) {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(" ");
}

function exportCommand(place) {
  const { id, stage, parent } = at(place);
  const run = data.run.folder;
  if (stage === "int8") return shell(["suite", "export", run, "--trial", parent, "--int8", "-o", `${id}.onnx`]);
  return shell(["suite", "export", run, "--trial", id, "-o", `${id}.onnx`]);
}

// Its words, none of which ends a line at a hyphen.
function unbroken(text) {
  return text.split(" ").flatMap((word, n) => [n ? " " : "", el("span", { class: "word" }, word)]);
}

function commandLine(text, label) {
  const said = el("span", { role: "status", class: "said" });
  const copy = el("button", { type: "button", "aria-label": `Copy: ${label}`, onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "copied";
    } catch {
      said.textContent = "select the text to copy it";
    }
  } }, "Copy");
  return el("div", { class: "command" }, el("pre", { tabindex: "0", "aria-label": label }, el("code", {}, ...unbroken(text))), copy, said);
}

function limitsInWords() {
  const told = Object.entries(state.limits).map(([name, limit]) => {
    if (name === "error") return `an error of at most ${mae(limit)}`;
    const axis = data.axes.find((one) => one.column === name);
    return `at most ${cost(limit, axis)}${axis.unit === "" ? ` ${WORDS[name]}` : name === "ms" ? " an image" : ""}`;
  });
  return told.length ? `With ${told.join(" and ")}` : "Without limits";
}

function showShipped() {
  const target = document.getElementById("shipped");
  const place = toShip();
  if (place === null) {
    target.replaceChildren(el("p", { class: "lead" }, `${limitsInWords()}, no network of this run is left. ${nearest()}`));
    return;
  }
  const own = at(place);
  const lowest = state.take === "error" ? "the lowest error" : state.take === "ms" ? "the lowest latency" : `the fewest ${WORDS[state.take]}`;
  const speed = known(own.ms) ? `, ${digits(own.ms)}${NBSP}ms an image (${own.speedup ? digits(own.speedup[0]) + TIMES + " as fast as VGG-16" : ""}; ${data.run.timed})` : ", speed not measured";
  const made = isMade(place) ? `, ${own.stage} from ${own.parent}` : isParent(place) ? ", the network that the search pruned" : "";
  const test = known(own.test) ? ` Test MAE ${mae(own.test)}, read once.` : "";
  const lead = el("p", { class: "lead" }, `${limitsInWords()}, ship `, el("b", {}, opener(own.id)),
    `: ${lowest}${made}. Validation MAE `, el("b", {}, errorWithInterval(place)),
    `, ${quantity(own.params)} parameters, ${quantity(own.bytes, "B")}, ${quantity(own.macs)} multiply-adds${speed}.${test}`);
  const caution = data.run.confirmed && !trials.interval[place]
    ? el("p", { class: "banner" }, "One training with one seed: it may owe its place to luck, unlike the confirmed members of the front.") : null;
  target.replaceChildren(...[lead, besideInWords(own), caution, besideTable(place), el("h3", {}, "The command that exports it"),
    commandLine(exportCommand(place), "the command that exports it")].filter(Boolean));
}

// Which limit to loosen: how far the nearest network is from each.
function nearest() {
  const told = Object.entries(state.limits).map(([name]) => {
    const others = { ...state.limits };
    delete others[name];
    const left = trials.id.map((_, p) => p).filter((p) => finished(p) && known(trials[name][p])
      && Object.entries(others).every(([n, l]) => known(trials[n][p]) && trials[n][p] <= l));
    if (!left.length) return null;
    const least = Math.min(...left.map((p) => trials[name][p]));
    return `${name === "error" ? mae(least) : cost(least, data.axes.find((a) => a.column === name))} (${WORDS[name]})`;
  }).filter(Boolean);
  return told.length ? `Loosening one limit alone, the least that would do: ${told.join(" or ")}.` : "";
}

function startShip() {
  const form = document.getElementById("limits");
  if (!form) return;
  form.hidden = false;
  const show = () => {
    for (const name of LIMITS) {
      const input = form.elements[`max-${name}`];
      if (document.activeElement !== input) input.value = known(state.limits[name]) ? state.limits[name] : "";
    }
    form.elements.take.value = state.take;
    showShipped();
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
startShip();
