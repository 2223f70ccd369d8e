// Starts all sections.

startTheme();
for (const button of document.querySelectorAll(".copy")) {
  const source = $(button.dataset.copy);
  button.addEventListener("click", () => copyText(source.textContent, button, source));
}
startVariants();
startNeuron();
for (const chart of [...startCurves(), ...startGradient()]) chart.render();
startDigits();
startMistakes();
document.documentElement.dataset.ready = "";
