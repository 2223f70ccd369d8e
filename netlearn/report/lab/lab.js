// Starts the lab.

async function startLab() {
  startTheme();
  let data = null;
  try {
    data = await unpack();
  } catch {
    $("main").prepend(html("p", { class: "note" }, "This browser is too old for the lab: it cannot unpack the examples. One from 2023 or later can."));
    return;
  }
  const race = new Race(await makeTrainees(data), () => refresh());
  let begin = () => {};
  const applyAddress = startSettings(() => begin());
  settings = readAddress(givenAddress()).found;
  const train = startTrain(race), inside = startInside(race, data);
  const refresh = () => { train.refresh(); inside.refresh(); };
  let before = null;
  begin = () => {
    const address = addressOf(settings);
    if (address !== before) train.clear();
    before = address;
    race.reset();
  };
  applyAddress();
  $("link").addEventListener("click", () => copyText(location.href.split(/[?#]/)[0] + addressOf(settings), $("link"), "Copy link"));
  document.documentElement.dataset.ready = "";
}

startLab();
