// Keeps a page up to date: asks every second what is new, and shows it where it stands. Texts enter the page as
// textContent only; the report's markup is that of the report's file.
(() => {
  "use strict";
  const PAUSE = 1000; // milliseconds between two questions
  const { query } = document.documentElement.dataset;
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const ask = async (path) => {
    const answer = await fetch(`${path}${path.includes("?") ? "&" : "?"}${query}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.json();
  };
  const wait = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

  document.addEventListener("click", (event) => {
    const { text } = event.target.dataset ?? {};
    if (!event.target.classList?.contains("copy")) return;
    navigator.clipboard?.writeText(text);
    event.target.textContent = "Copied";
  });

  // --- the page of one trial ------------------------------------------------------------------------------------

  const trial = document.getElementById("trial");
  if (trial) {
    const header = document.querySelector("header");
    let shown = null;
    const renew = async () => {
      const { header: top, main } = await ask(`${window.location.pathname}?part=1`);
      if (shown !== null && shown !== top + main) {
        header.outerHTML === top || (document.querySelector("header").outerHTML = top);
        trial.innerHTML = main;
      }
      shown = top + main;
    };
    (async () => {
      for (;;) {
        await renew().catch(() => {});
        await wait(PAUSE);
      }
    })();
    return;
  }

  // --- cards of the searches -------------------------------------------------------------------------------------

  const state = document.getElementById("report-state");
  const cards = document.querySelector("#live .cards");
  const link = ({ name, href }) => make("a", { href, textContent: name });
  const none = "\u2013";

  const runningTable = (running, more) => {
    const head = ["running", "epoch", "error now (%)", "images/s", "node"];
    const rows = running.map((each) => make(
      "tr", {},
      make("td", { className: "text" }, link(each)),
      make("td", { textContent: `${each.epoch} of ${each.epochs}` }),
      make("td", { textContent: each.val_error === null ? none : each.val_error.toFixed(2) }),
      make("td", { textContent: each.images_per_second === null ? none : Math.round(each.images_per_second).toLocaleString("en-US") }),
      make("td", { className: "text", textContent: each.node ?? none }),
    ));
    const titles = head.map((title, place) => make("th", { scope: "col", textContent: title, className: place % 4 ? "" : "text" }));
    const table = make("table", { className: "running" }, make("thead", {}, make("tr", {}, ...titles)), make("tbody", {}, ...rows));
    const rest = more ? [make("p", { className: "note", textContent: `and ${more.toLocaleString("en-US")} more` })] : [];
    return [make("div", { className: "scroll" }, table), ...rest];
  };

  const lines = (title, entries) => (entries.length ? [make("h4", { textContent: title }), make("ul", {}, ...entries)] : []);

  const cardOf = (told) => {
    const best = told.best.map((each) => make("li", {}, `${each.text} `, link(each)));
    const last = told.last.map((each) => make("li", {}, `${each.ago} ago: `, link(each), ` ${each.text}`));
    const resume = told.resume ? [make("p", { className: "note" }, "Go on with it: ", make("code", { textContent: told.resume }))] : [];
    const card = make(
      "article", { className: "card" },
      make("h3", { textContent: told.name, title: told.path }),
      make("p", { className: "facts", textContent: told.problem ?? told.facts.join(" \u00b7 ") }),
      ...(told.verdict ? [make("p", { className: "verdict", textContent: `Verdict ${told.verdict}` })] : []),
      ...(told.running.length ? runningTable(told.running, told.more) : []),
      ...lines("Best so far", best),
      ...lines("What happened last", last),
      ...resume,
    );
    card.dataset.state = told.state;
    return card;
  };

  let before = "";
  const showCards = (told) => {
    const text = JSON.stringify(told);
    if (text === before) return;
    before = text;
    const opened = window.getSelection()?.toString(); // whoever marks text keeps it
    if (!opened) cards.replaceChildren(...told.map(cardOf));
    else before = "";
  };

  // --- the report -------------------------------------------------------------------------------------------------

  let report = null; // the one that is shown
  let offsets = new Map(); // search -> place of its first trial in the report's table
  let places = new Map(); // `search-number` -> place of a trial that the report does not hold yet
  let addresses = []; // place -> a trial's own page
  let curves = new Map(); // `search-number` -> epochs since the report
  const CURVES = "learning-curves";

  globalThis.trialAddress = (row) => addresses[row] ?? addressOf(row);
  const addressOf = (row) => {
    for (const [search, { first, count }] of offsets) {
      if (first <= row && row < first + count) return `trials/${search}/${row - first}?token=${new URLSearchParams(query).get("token")}`;
    }
    return undefined;
  };

  const showReport = async () => {
    const told = await ask("report");
    if (told.report === null) return null;
    report = told.report;
    if (told.problem) {
      if (!document.getElementById("report").childElementCount) state.textContent = `No report: ${told.problem}`;
      return told.after;
    }
    [offsets, places, addresses, curves] = [new Map(), new Map(), [], new Map()];
    let first = 0;
    told.counts.forEach((count, place) => {
      offsets.set(told.searches[place], { first, count });
      first += count;
    });
    await reportPage.renew(() => {
      document.getElementById("report").innerHTML = told.body;
      const data = Object.entries(told.data).map(([id, text]) => make("script", { id, type: "application/json", textContent: text }));
      document.getElementById("report-data").replaceChildren(...data);
    });
    document.documentElement.dataset.report = String(report);
    document.documentElement.dataset.model = String(told.has_model);
    madeAt = new Date(1000 * told.asked_at);
    return told.after;
  };

  let madeAt = null;
  const showState = ({ is_busy: busy, has_model: model, pause }) => {
    if (!madeAt) return;
    const time = madeAt.toLocaleTimeString([], { hour12: false });
    const parts = [`Report as of ${time}${model ? "" : ", without the curve model yet"}`];
    parts.push(busy ? "a new one is being made" : `the next one ${Math.round(pause)} s later at the earliest, if there is something new`);
    state.replaceChildren(`${parts.join("; ")}. Running trials, the table of all trials and the learning curves are live. `, button);
    button.disabled = busy;
  };
  const button = make("button", { type: "button", textContent: "Renew now" });
  let renewNow = false;
  button.addEventListener("click", () => { renewNow = true; });

  // --- what is new since the report --------------------------------------------------------------------------------

  const placeOf = (search, number) => {
    const known = offsets.get(search);
    if (!known) return null;
    if (number < known.count) return known.first + number;
    const key = `${search}-${number}`;
    if (!places.has(key)) places.set(key, trialTable.count + [...places.values()].filter((place) => place >= trialTable.count).length);
    return places.get(key);
  };

  const addCurve = ({ search, number, points }) => {
    if (!points.length) return;
    const key = `${search}-${number}`;
    const known = curves.get(key) ?? new Map();
    points.forEach(([epoch, error]) => known.set(epoch, error));
    curves.set(key, known);
  };

  const drawCurves = () => {
    const values = document.getElementById(`values-${CURVES}`);
    if (!values) return;
    const told = JSON.parse(values.textContent);
    const trace = {
      ...{ type: "scatter", mode: "lines+markers", name: "since this report", connectgaps: false, x: [], y: [], trials: [] },
      ...{ line: { color: "@ink", width: 1.5, dash: "dot" }, marker: { color: "@ink", size: 4 } },
      hovertemplate: "%{hovertext}<br>epoch %{x}: %{y:.2f} %<extra></extra>",
    };
    curves.forEach((points, key) => {
      const [search, number] = key.split("-").map(Number);
      const place = placeOf(search, number);
      [...points].sort(([one], [other]) => one - other).forEach(([epoch, error]) => {
        trace.x.push(epoch);
        trace.y.push(error);
        trace.trials.push(place);
      });
      [trace.x, trace.y, trace.trials].forEach((list) => list.push(null));
    });
    const data = [...told.data.filter((each) => !each.live), { ...trace, live: true }];
    const { range, ...axis } = told.layout.yaxis; // what is new may lie outside
    values.textContent = JSON.stringify({ data, layout: { ...told.layout, yaxis: axis } });
    reportPage.redraw(CURVES);
  };

  const showRows = (rows) => {
    if (!rows.length) return;
    rows.forEach(addCurve);
    if (trialTable && offsets.size) {
      const updates = rows.map(({ search, number, href, values }) => {
        const at = placeOf(search, number);
        if (at !== null) addresses[at] = href;
        return { at, values };
      });
      trialTable.update(updates.filter(({ at }) => at !== null).sort((one, other) => one.at - other.at));
    }
    drawCurves();
  };

  // --- the loop -----------------------------------------------------------------------------------------------------

  let after = null; // events that this page knows
  const look = async () => {
    const asks = [after === null ? "" : `after=${after}`, renewNow ? "renew=1" : ""].filter(Boolean).join("&");
    renewNow = false;
    const told = await ask(asks ? `live?${asks}` : "live");
    showCards(told.cards);
    if (told.report !== null && told.report !== report) {
      after = (await showReport()) ?? after;
      document.documentElement.dataset.version = told.version;
      showState(told);
      return; // what is new since then is asked for at once
    }
    showRows(told.rows);
    showState(told);
    after = told.version;
    document.documentElement.dataset.version = told.version;
    await wait(PAUSE);
  };
  const lost = make("p", { className: "lost", hidden: true, textContent: "The page cannot reach `watch` any more: it has ended, or the network is down." });
  document.body.prepend(lost);
  (async () => {
    for (;;) {
      try {
        await look();
        lost.hidden = true;
      } catch (error) {
        if (!(error instanceof TypeError) && !/^\d+$/.test(error.message)) console.error(error);
        lost.hidden = false;
        await wait(2 * PAUSE);
      }
    }
  })();
})();
