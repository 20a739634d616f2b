// What the reader has chosen, kept in the address behind "#", so that a link shows the same again.
const trials = data.trials;
for (const name in trials) trials[name] = unpacked(trials[name]);
const places = new Map(trials.id.map((id, place) => [id, place]));
const LIMITS = ["error", "params", "macs", "bytes", "ms"];
const TAKES = [...LIMITS];

const state = { x: "params", trial: "", take: "error", limits: {}, filter: "", sort: "" };
const listeners = [];

function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  state.x = data.axes.some((axis) => axis.column === asked.get("x")) ? asked.get("x") : "params";
  state.trial = places.has(asked.get("trial")) ? asked.get("trial") : "";
  state.take = TAKES.includes(asked.get("take")) ? asked.get("take") : "error";
  state.filter = asked.get("filter") ?? "";
  state.sort = asked.get("sort") ?? "";
  state.limits = {};
  for (const name of LIMITS) {
    const limit = amount(asked.get(`max-${name}`) ?? "");
    if (known(limit)) state.limits[name] = limit;
  }
}

function writeAddress() {
  const told = new URLSearchParams();
  if (state.x !== "params") told.set("x", state.x);
  if (state.trial) told.set("trial", state.trial);
  if (state.take !== "error") told.set("take", state.take);
  if (state.filter) told.set("filter", state.filter);
  if (state.sort) told.set("sort", state.sort);
  for (const [name, limit] of Object.entries(state.limits)) told.set(`max-${name}`, limit);
  history.replaceState(null, "", `#${told}`);
}

// Change what is chosen; those who listen are told what changed.
function choose(changes) {
  Object.assign(state, changes);
  writeAddress();
  for (const listener of listeners) listener(new Set(Object.keys(changes)));
}

window.addEventListener("hashchange", () => {
  if (document.getElementById(location.hash.slice(1))) return writeAddress(); // a link to a place in the page
  readAddress();
  for (const listener of listeners) listener(new Set(Object.keys(state)));
});

function at(place) {
  return Object.fromEntries(Object.entries(trials).map(([name, values]) => [name, values[place]]));
}

function finished(place) {
  return trials.status[place] === "finished" && known(trials.error[place]);
}

function isSearched(place) {
  return trials.stage[place] === "search";
}

// What the trials of a search were cut out of.
function isParent(place) {
  return trials.stage[place] === "parent";
}

// By suite compress.
function isMade(place) {
  return !isSearched(place) && !isParent(place);
}

// A button that shows a network in its own section.
function opener(id, text = id) {
  return el("button", { type: "button", class: "link", "data-trial": id }, text);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-trial]");
  if (button) openNetwork(button.dataset.trial);
});

function openNetwork(id) {
  if (!places.has(id)) return;
  choose({ trial: id });
  const section = document.getElementById("network");
  section.scrollIntoView({ block: "start" });
  section.querySelector("h2").focus({ preventScroll: true });
}
