// Trials that filters and brushes chose are chosen in every figure: what a trace shows of the others is pale there, and
// still leads to their rows. Maps, bars and medians, which stand for many trials at once, stay those of all.
const linkedTraces = (data, chosen) => {
  "use strict";
  const FAINT = 0.14; // of the opacity
  if (!chosen) return data;
  const faint = [];
  const found = data.map((trace, of) => {
    if (!trace.trials?.some((place) => place !== null && !chosen.has(place))) return trace;
    faint.push({ ...trace, of, opacity: FAINT * (trace.opacity ?? 1), showlegend: false });
    return { ...trace, y: trace.y.map((value, at) => (chosen.has(trace.trials[at]) ? value : null)) };
  });
  return [...found, ...faint]; // after them: the others keep their places
};

// What is chosen now, and a line on it that stays in sight. `onChange` hears when other trials are chosen, not when
// they are only sorted or have new epochs.
const makeChoice = (onChange) => {
  "use strict";
  const PAUSE = 120; // milliseconds: whoever types a filter is not waited for at every letter
  let chosen = null; // a set of rows; null for all
  let key = "";
  let waits;

  const tell = () => {
    const nav = document.querySelector("nav");
    if (!nav) return;
    let line = nav.querySelector(".linked");
    if (!chosen) {
      line?.remove();
      return;
    }
    if (!line) {
      line = Object.assign(document.createElement("p"), { className: "linked" });
      line.setAttribute("role", "status");
      const all = Object.assign(document.createElement("button"), { type: "button", textContent: "Show all" });
      all.addEventListener("click", () => trialTable.showAll());
      line.append(document.createElement("span"), " ", all);
      nav.append(line);
    }
    const [some, all] = [chosen.size, trialTable.count].map((count) => count.toLocaleString("en-US"));
    line.firstElementChild.textContent = `${some} of ${all} trials are chosen, in every figure`;
  };

  const look = () => {
    const rows = trialTable && trialTable.shown.length < trialTable.count ? trialTable.shown : null;
    const now = rows ? rows.slice().sort((one, other) => one - other).join() : "";
    chosen = rows && new Set(rows);
    tell();
    if (now === key) return;
    key = now;
    clearTimeout(waits);
    waits = setTimeout(onChange, PAUSE);
  };
  return {
    get rows() { return chosen; },
    // Follows the table, which a renewed page has anew.
    follow() {
      trialTable?.onChange(look);
      look();
    },
  };
};
