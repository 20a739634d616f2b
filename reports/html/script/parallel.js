// Parallel coordinates on a canvas: a line for each finished trial. Dragging along an axis keeps what it spans.
const kept = new Map(); // axis -> [low, high] as shares of its height

function parallelAxes() {
  const shown = [...data.dimensions];
  shown.push({
    name: "parameters",
    words: null,
    log: true,
    values: trials.params,
  });
  shown.push({
    name: "validation MAE",
    words: null,
    log: false,
    values: trials.error,
  });
  return shown
    .map((axis) => {
      const numbers = axis.values.filter((value, row) => known(value) && finished(row) && isSearched(row));
      let low = Infinity,
        high = -Infinity;
      for (const value of numbers) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      const log = axis.log && low > 0,
        scale = (value) => (log ? Math.log10(value) : value);
      const span = scale(high) - scale(low);
      return {
        ...axis,
        low,
        high,
        share: (value) => (span > 0 ? (scale(value) - scale(low)) / span : 0.5),
      };
    })
    .filter((axis) => Number.isFinite(axis.low));
}

function parallelLine(axes, row) {
  return axes.map((axis) => (known(axis.values[row]) ? axis.share(axis.values[row]) : null));
}

function isKept(line) {
  return [...kept].every(
    ([number, [low, high]]) => line[number] !== null && line[number] >= low && line[number] <= high,
  );
}

const MARGINS = { left: 46, right: 54, top: 54, bottom: 26 };

function drawParallel() {
  const canvas = document.getElementById("parallel"),
    axes = parallelAxes();
  const width = Math.max(canvas.parentElement.clientWidth, 72 * axes.length),
    height = 354,
    ratio = devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const x = (number) => MARGINS.left + (number * (width - MARGINS.left - MARGINS.right)) / Math.max(axes.length - 1, 1);
  const y = (share) => height - MARGINS.bottom - share * (height - MARGINS.top - MARGINS.bottom);
  const shown = trials.id.map((_, row) => row).filter((row) => finished(row) && isSearched(row));
  const lines = new Map(shown.map((row) => [row, parallelLine(axes, row)]));
  const inside = shown.filter((row) => isKept(lines.get(row)));
  const stroke = (rows, style, thick, alpha) => {
    pen.strokeStyle = style;
    pen.lineWidth = thick;
    pen.globalAlpha = alpha;
    pen.beginPath();
    for (const row of rows) {
      let down = false;
      lines.get(row).forEach((share, number) => {
        if (share === null) down = false;
        else if (down) pen.lineTo(x(number), y(share));
        else {
          pen.moveTo(x(number), y(share));
          down = true;
        }
      });
    }
    pen.stroke();
    pen.globalAlpha = 1;
  };
  const faint = Math.max(0.06, Math.min(0.5, 60 / shown.length));
  if (kept.size) stroke(shown, colour("--line"), 1, faint);
  stroke(
    inside.filter((row) => !trials.front[row]),
    colour("--others"),
    1,
    kept.size ? Math.max(faint, 0.4) : faint,
  );
  const front = inside.filter((row) => trials.front[row]);
  stroke(front, colour("--front"), front.length > 30 ? 1.2 : 2, Math.max(0.3, Math.min(0.95, 25 / front.length)));
  const chosen = rowOf.get(state.trial);
  if (lines.has(chosen)) stroke([chosen], colour("--tiny"), 3, 1);
  labelAxes(pen, axes, x, y);
  canvas.onpointerdown = (event) => brush(event, canvas, axes, lines, inside, x, y);
  document.getElementById("parallel-kept").textContent = kept.size
    ? `${count(inside.length, "trial")} of ${grouped(shown.length)} kept.`
    : "";
  document.getElementById("parallel-clear").hidden = !kept.size;
}

function labelAxes(pen, axes, x, y) {
  pen.font = "12px system-ui, sans-serif";
  pen.textAlign = "center";
  axes.forEach((axis, number) => {
    pen.strokeStyle = pen.fillStyle = colour("--soft");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x(number), y(0));
    pen.lineTo(x(number), y(1));
    pen.stroke();
    const label = (value) =>
      axis.words
        ? axis.words[value]
        : axis.name === "parameters"
          ? quantity(value)
          : Number.isInteger(value)
            ? grouped(value)
            : digits(Number(value.toPrecision(3)));
    pen.fillText(label(axis.high), x(number), y(1) - 6);
    pen.fillText(label(axis.low), x(number), y(0) + 16);
    pen.fillStyle = colour("--ink");
    pen.fillText(axis.name.replaceAll("_", " "), x(number), y(1) - 24 - (number % 2) * 15); // alternating heights, as neighbours would touch
    if (kept.has(number)) {
      const [low, high] = kept.get(number);
      pen.fillStyle = colour("--front");
      pen.globalAlpha = 0.3;
      pen.fillRect(x(number) - 7, y(high), 14, Math.max(y(low) - y(high), 2));
      pen.globalAlpha = 1;
    }
  });
}

// A drag along an axis keeps a span; a click opens the nearest line's trial.
function brush(event, canvas, axes, lines, inside, x, y) {
  const box = canvas.getBoundingClientRect();
  const share = (one) => Math.min(Math.max((y(0) - (one.clientY - box.top)) / (y(0) - y(1)), 0), 1);
  const across = event.clientX - box.left;
  const number = axes
    .map((_, n) => Math.abs(x(n) - across))
    .reduce((best, off, n, all) => (off < all[best] ? n : best), 0);
  const start = share(event);
  canvas.setPointerCapture(event.pointerId);
  canvas.onpointerup = (end) => {
    canvas.onpointerup = null;
    const stop = share(end);
    if (Math.abs(stop - start) > 0.03) {
      kept.set(number, [Math.min(start, stop), Math.max(start, stop)]);
      drawParallel();
    } else if (inside.length) {
      const off = (row) => (lines.get(row)[number] === null ? Infinity : Math.abs(lines.get(row)[number] - start));
      openNetwork(trials.id[inside.reduce((best, row) => (off(row) < off(best) ? row : best))]);
    }
  };
}

function startParallel() {
  const canvas = document.getElementById("parallel");
  if (!canvas || !parallelAxes().length) return;
  document.getElementById("parallel-room").hidden = false;
  figure(canvas, drawParallel);
  document.getElementById("parallel-clear").addEventListener("click", () => {
    kept.clear();
    drawParallel();
  });
  window.addEventListener("resize", () => drawn.has(canvas) && drawParallel());
  listeners.push((changed) => {
    if (changed.has("trial") && drawn.has(canvas)) drawParallel();
  });
}
