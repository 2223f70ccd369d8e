// Starts all sections; the theme and the buttons that copy.

function startTheme() {
  const button = $("theme"), root = document.documentElement;
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => { button.textContent = dark() ? "Light" : "Dark"; };
  button.setAttribute("aria-label", "Switch between light and dark");
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    name();
  });
  name();
}

async function copy(button) {
  const text = $(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    announce("Copied");
  } catch { // a browser may not let pages from disk use the clipboard: the text is selected instead
    const selection = getSelection();
    selection.selectAllChildren($(button.dataset.copy));
    button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
    announce(button.textContent);
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

startTheme();
for (const button of document.querySelectorAll(".copy")) button.addEventListener("click", () => copy(button));
startVariants();
startNeuron();
for (const chart of [...startCurves(), ...startGradient()]) chart.render();
startDigits();
startMistakes();
document.documentElement.dataset.ready = "";
