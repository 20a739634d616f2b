// Numbers as text, as in reports/formatting.py: sensible digits, the unit beside them, a dash for a missing one.
const MISSING = "\u2013",
  TIMES = "\u00d7",
  NBSP = "\u00a0";

function known(value) {
  return value !== null && value !== undefined && Number.isFinite(value);
}

// One formatter for each number of decimals: toLocaleString would make one at every call, which is slow.
const formats = [];
function grouped(value, decimals = 0) {
  formats[decimals] ??= new Intl.NumberFormat("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return formats[decimals].format(value);
}

function digits(value, significant = 3) {
  if (!known(value)) return MISSING;
  if (value === 0) return "0";
  const places = significant - 1 - Math.floor(Math.log10(Math.abs(value)));
  const rounded = places < 0 ? Math.round(value * 10 ** places) / 10 ** places : value;
  const shown = Math.min(Math.max(places, 0), 20);
  return grouped(rounded, shown);
}

function quantity(value, unit = "", significant = 3) {
  if (!known(value)) return MISSING;
  const rounded = Number(value.toPrecision(significant));
  const [size, prefix] = [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ].find(([s]) => rounded >= s) ?? [1, ""];
  const number = size > 1 ? digits(rounded / size, significant) : String(rounded);
  return prefix || unit ? `${number}${NBSP}${prefix}${unit}` : number;
}

function tick(value, unit) {
  const [size, prefix] = [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ].find(([s]) => value >= s * 0.999) ?? [1, ""];
  return `${Number((value / size).toPrecision(3))}${NBSP}${prefix}${unit}`.trimEnd();
}

// An axis's quantity: milliseconds take no prefix.
function cost(value, axis) {
  return axis.unit === "ms" ? `${digits(value)}${known(value) ? `${NBSP}ms` : ""}` : quantity(value, axis.unit);
}

function mae(value, { unit = true, sign = false } = {}) {
  if (!known(value)) return MISSING;
  const places = data.run.decimals;
  const rounded = Math.round(value * 10 ** places) / 10 ** places + 0;
  const plus = sign && rounded > 0 ? "+" : "";
  return `${plus}${rounded.toFixed(places)}${unit ? NBSP + data.run.unit : ""}`;
}

function count(number, noun, plural = `${noun}s`) {
  return `${grouped(number)} ${number === 1 ? noun : plural}`;
}

function duration(seconds) {
  if (!known(seconds)) return MISSING;
  if (Math.round(seconds) < 60) return `${seconds < 9.95 ? digits(seconds, 2) : Math.round(seconds)}${NBSP}s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes}${NBSP}min ${String(Math.round(seconds) % 60).padStart(2, "0")}${NBSP}s`;
  return `${Math.floor(minutes / 60)}${NBSP}h ${String(minutes % 60).padStart(2, "0")}${NBSP}min`;
}
