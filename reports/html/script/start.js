// Runs after plotly.js: draw the front, then, once it can be seen, everything else.
startFront();

window.addEventListener("DOMContentLoaded", () =>
  requestAnimationFrame(() =>
    setTimeout(() => {
      readLater();
      startFigures();
      startNetwork();
      startParallel();
      startTable();
      startFollowing();
      document.documentElement.dataset.ready = "yes";
    }),
  ),
);

// Reload a report that is written again while its run goes on, unless the reader holds it.
function startFollowing() {
  const follow = document.getElementById("follow");
  if (!follow) return;
  follow.hidden = false;
  const hold = follow.querySelector("input");
  hold.checked = sessionStorage.getItem("hold") === "yes";
  hold.addEventListener("change", () => sessionStorage.setItem("hold", hold.checked ? "yes" : ""));
  setInterval(() => !hold.checked && location.reload(), 1000 * Number(follow.dataset.seconds));
}
