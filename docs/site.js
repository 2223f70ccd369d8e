// The site: tables, code and formulas that scroll sideways can be reached and scrolled with the keyboard.
addEventListener("DOMContentLoaded", () => {
  const reachable = () => {
    for (const part of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code, .formula")) {
      part.tabIndex = 0;
    }
  };
  reachable();
  setTimeout(reachable, 500); // the theme wraps tables when it has started
});
