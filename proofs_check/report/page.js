"use strict";
(() => {
  const form = document.getElementById("filter");
  const claims = [...document.querySelectorAll("details.claim")];
  const sections = [...document.querySelectorAll("section.paper")];
  const count = document.getElementById("count");
  // What is searched for is written as in the source, R_rob(f) <= psi, and found where it is set as a formula.
  const signs = new Map(Object.entries(JSON.parse(document.getElementById("signs").textContent)));
  const plain = (text) => text.toLowerCase().replace(/[_^{}\u2060]/g, "").replace(/'/g, "′").replace(/-/g, "−");
  const spelled = (word) => word.replace(/[a-z]+|[<>!]=|->/gi, (part) => signs.get(part) || part);
  const text = new Map(claims.map((claim) => [claim, plain(`${claim.id} ${claim.textContent}`)]));
  const has = (text, word) => text.includes(plain(word)) || text.includes(plain(spelled(word)));
  const chosen = (name) => form.elements[name].value;

  const filter = () => {
    const words = chosen("search").split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const claim of claims) {
      const its = { ...claim.parentElement.dataset, ...claim.dataset };
      const fits = ["paper", "verdict", "group"].every((name) => !chosen(name) || its[name] === chosen(name));
      claim.hidden = !(fits && words.every((word) => has(text.get(claim), word)));
      shown += !claim.hidden;
    }
    for (const section of sections) {
      section.hidden = !section.querySelector("details.claim:not([hidden])");
    }
    count.textContent = `${shown} of ${claims.length} entries are shown.`;
  };

  const open = () => {
    const claim = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!claim || !claim.matches("details.claim")) return;
    if (claim.hidden) { form.reset(); filter(); }
    claim.open = true;
    claim.scrollIntoView();
    claim.querySelector("summary").focus({ preventScroll: true });
  };

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("open").addEventListener("click", () => {
    const visible = claims.filter((claim) => !claim.hidden);
    const all = visible.some((claim) => !claim.open);
    for (const claim of visible) claim.open = all;
  });
  window.addEventListener("hashchange", open);
  filter();
  open();
})();
