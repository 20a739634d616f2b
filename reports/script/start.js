readAddress();
startShip();
startFront();
startNetwork();
startParallel();
startTable();

// A report that is written again while its run goes on: the page takes the new one, unless the reader holds it.
const follow = document.getElementById("follow");
if (follow) {
  follow.hidden = false;
  const hold = follow.querySelector("input");
  hold.checked = sessionStorage.getItem("hold") === "yes";
  hold.addEventListener("change", () => sessionStorage.setItem("hold", hold.checked ? "yes" : ""));
  setInterval(() => !hold.checked && location.reload(), 1000 * Number(follow.dataset.seconds));
}
