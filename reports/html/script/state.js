// What the reader has chosen. The address keeps it behind "#", so that a link shows the same again.
const trials = data.trials;
for (const name in trials) trials[name] = decoded(trials[name]);
const rowOf = new Map(trials.id.map((id, row) => [id, row]));
const hasGroups = trials.worst.some(known); // the data names groups of people
const LIMITS = ["error", ...(hasGroups ? ["worst"] : []), "params", "macs", "bytes", "ms"];
const TAKES = [...LIMITS];
const SWITCHED = ["slices", "tuned", "confirmed", "alone"]; // groups of marks of a run that shares weights
// What hypervolume can be drawn against.
const SPENT = ["ended", "epochs", "macs"].filter((name) => data.growth?.[name].every(known));
const usualSpent = data.sharing ? "epochs" : "ended";
// Where confirmed members are compared with the best, the smallest of those near it is the answer.
const usualTake = data.verdict ? "params" : "error";
const usualTolerance = data.verdict?.tolerance ?? 0;

const state = {
  x: "params",
  trial: "",
  take: usualTake,
  limits: {},
  tolerance: usualTolerance,
  filter: "",
  sort: "",
  off: [],
  spent: usualSpent,
};
const listeners = [];

function readAddress() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  state.x = data.axes.some((axis) => axis.column === parameters.get("x")) ? parameters.get("x") : "params";
  state.trial = rowOf.has(parameters.get("trial")) ? parameters.get("trial") : "";
  state.take = TAKES.includes(parameters.get("take")) ? parameters.get("take") : usualTake;
  state.filter = parameters.get("filter") ?? "";
  state.sort = parameters.get("sort") ?? "";
  state.off = (parameters.get("off") ?? "").split(",").filter((group) => SWITCHED.includes(group));
  state.spent = SPENT.includes(parameters.get("spent")) ? parameters.get("spent") : usualSpent;
  state.limits = {};
  for (const name of LIMITS) {
    const limit = amount(parameters.get(`max-${name}`) ?? "");
    if (known(limit)) state.limits[name] = limit;
  }
  const tolerance = amount(parameters.get("tolerance") ?? "");
  state.tolerance = data.verdict && tolerance > 0 ? tolerance : usualTolerance;
}

function writeAddress() {
  const parameters = new URLSearchParams();
  if (state.x !== "params") parameters.set("x", state.x);
  if (state.trial) parameters.set("trial", state.trial);
  if (state.take !== usualTake) parameters.set("take", state.take);
  if (state.filter) parameters.set("filter", state.filter);
  if (state.sort) parameters.set("sort", state.sort);
  if (state.off.length) parameters.set("off", state.off.join(","));
  if (state.spent !== usualSpent) parameters.set("spent", state.spent);
  for (const [name, limit] of Object.entries(state.limits)) parameters.set(`max-${name}`, limit);
  if (state.tolerance !== usualTolerance) parameters.set("tolerance", state.tolerance);
  history.replaceState(null, "", `#${parameters}`);
}

// Change what is chosen; listeners are given the names of what changed.
function choose(changes) {
  Object.assign(state, changes);
  writeAddress();
  for (const listener of listeners) listener(new Set(Object.keys(changes)));
}

window.addEventListener("hashchange", () => {
  if (document.getElementById(location.hash.slice(1))) return writeAddress(); // a link to a section of the page
  readAddress();
  for (const listener of listeners) listener(new Set(Object.keys(state)));
});

function at(row) {
  return Object.fromEntries(Object.entries(trials).map(([name, values]) => [name, values[row]]));
}

function finished(row) {
  return trials.status[row] === "finished" && known(trials.error[row]);
}

function isSearched(row) {
  return trials.stage[row] === "search";
}

// The network that a search prunes.
function isParent(row) {
  return trials.stage[row] === "parent";
}

// Made by suite compress.
function isMade(row) {
  return !isSearched(row) && !isParent(row);
}

// A button that opens a network in its own section.
function trialButton(id, text = id) {
  return element("button", { type: "button", class: "link", "data-trial": id }, text);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-trial]");
  if (button) openNetwork(button.dataset.trial);
});

function openNetwork(id) {
  if (!rowOf.has(id)) return;
  choose({ trial: id });
  const section = document.getElementById("network");
  section.scrollIntoView({ block: "start" });
  section.querySelector("h2").focus({ preventScroll: true });
}
