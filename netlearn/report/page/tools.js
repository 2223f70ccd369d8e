// The theme, and buttons that copy.

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

async function copyText(text, button, source = null) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch { // a browser may not let pages from disk use the clipboard: the text is selected instead, where there is one
    if (source) getSelection().selectAllChildren(source);
    button.textContent = source === null ? "Copy the address" : document.execCommand("copy") ? "Copied" : "Selected";
  }
  announce(button.textContent);
  setTimeout(() => { button.textContent = before; }, 1500);
}
