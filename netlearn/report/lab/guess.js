// Predict first: which network passes the threshold first, and after how many updates; later the answer beside it.

const GUESSES = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000];

function startGuess(race, onGuess) {
  const form = $("guess");
  let first = null; // 0, 1, "neither" or null
  const options = () => [[0, nameOf(0)], [1, nameOf(1)], ["neither", "neither"]];
  const after = slider("after about how many updates?", GUESSES.length, (i) => whole(GUESSES[i]), () => onGuess(), 5);

  function build() {
    form.replaceChildren(
      html("p", {}, html("strong", {}, "Before you press Play: "), `which network will first answer ${THRESHOLD} of the held-out examples correctly?`),
      html("div", { class: "options", role: "radiogroup", "aria-label": "Which network" }, ...options().map(([value, name]) => {
        const input = html("input", { type: "radio", name: "first", value, checked: first === value });
        input.addEventListener("change", () => { first = value; after.hidden = value === "neither"; onGuess(); });
        return html("label", { class: "check" }, input, value === "neither" ? null : key(lineOf(value)), ` ${name}`);
      })), after, html("p", { class: "hint" }, "Or just press Play."));
    after.hidden = first === "neither";
  }

  const nameOfGuess = () => (first === "neither" ? `neither passes ${THRESHOLD}` : `${nameOf(first)} after about ${whole(GUESSES[after.input.value])} updates`);

  // What has happened so far, and no more.
  function outcome() {
    if (race.update === 0) return "";
    const { passed } = race, there = [0, 1].filter((k) => passed[k] !== null).sort((a, b) => passed[a] - passed[b]);
    const yours = first === null ? "" : `Your guess: ${nameOfGuess()}. `;
    if (!there.length) return `${yours}Neither network has passed ${THRESHOLD} yet.`;
    const missing = there.length === 1 ? `; ${nameOf(1 - there[0])} has not yet` : "";
    const verdict = passed[0] === passed[1] ? `both passed ${THRESHOLD} after ${whole(passed[0])} updates.` : `${there.map((k, i) => `${nameOf(k)} ${i ? "" : `passed ${THRESHOLD} `}after ${whole(passed[k])} updates`).join(", ")}${missing}.`;
    return `${yours}${yours ? "Answer: " : ""}${verdict}`;
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  build();
  return {
    outcome,
    update: () => (first === null || first === "neither" ? null : GUESSES[after.input.value]),
    refresh: () => { form.hidden = race.update > 0 || race.playing; },
    clear: () => { first = null; build(); },
  };
}
