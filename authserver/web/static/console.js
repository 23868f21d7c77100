// What scripts add to the console, where they run: buttons that copy, and lists that search as one types.

for (const figure of document.querySelectorAll("[data-copy]")) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "copy small", textContent: "Copy" });
  const label = figure.querySelector("figcaption");
  button.setAttribute("aria-label", label ? `Copy: ${label.textContent.trim()}` : "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(figure.querySelector("code").textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(figure.querySelector("code"));
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  (label ?? figure).append(button);
}

document.getElementById("errors")?.focus();

for (const form of document.querySelectorAll("form[data-live]")) {
  let waiting;
  let latest = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 250);
  });

  async function search() {
    const mine = ++latest;
    const fields = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const address = `${form.getAttribute("action")}?${fields}`;
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected || mine !== latest) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("results");
    if (!found) return;
    document.getElementById("results").replaceWith(document.adoptNode(found));
    history.replaceState(null, "", address);
  }
}
