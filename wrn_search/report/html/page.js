// Draws every figure of the page from the JSON beside it, in the colours of the screen's scheme. A live page draws each
// figure when it comes near the screen, and renews all of it where it stands.
const reportPage = (() => {
  "use strict";
  const isLive = "live" in document.documentElement.dataset;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const themes = read("themes");
  let hovers = read("hovers");
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  let plots = [];
  let hasFollowed = false; // the address that the page was opened with
  const config = {
    responsive: true,
    displaylogo: false,
    showSendToCloud: false, // nothing leaves this page
    displayModeBar: window.matchMedia("(hover: hover)").matches ? "hover" : false,
    modeBarButtons: [["toImage", "resetScale2d"]],
    toImageButtonOptions: { format: "svg" },
  };

  // "@ink" becomes the theme's colour; other text stays as it is.
  const coloured = (value, theme) => {
    if (typeof value === "string") {
      return value[0] === "@" && Object.hasOwn(theme, value.slice(1)) ? theme[value.slice(1)] : value;
    }
    if (Array.isArray(value)) return value.map((item) => coloured(item, theme));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, theme)]));
  };

  // Every trial's text stands in the page once; a trace only names the trials of its points.
  const named = ({ trials, choose, ...trace }) =>
    trials ? { ...trace, hovertext: trials.map((place) => (place === null ? "" : hovers[place])) } : trace;

  // --- the way from a point to its row ---------------------------------------------------------------------------

  const toRow = (place) => {
    if (!trialTable || place === null || place === undefined) return;
    const hash = `#trial-${place}`;
    if (window.location.hash === hash) trialTable.show(place);
    else window.location.hash = hash; // `back` leads to the figure again
  };
  let pointer = "mouse"; // what was last put down on the page
  document.addEventListener("pointerdown", (event) => { pointer = event.pointerType; }, true);

  // A finger has no other way to see what a point is: a tap names it and offers the way; a mouse goes at once.
  const offer = (plot, place) => {
    const figure = plot.closest("figure");
    let line = figure.querySelector(".pointed");
    if (!line) {
      line = Object.assign(document.createElement("p"), { className: "pointed note" });
      figure.querySelector("figcaption").before(line);
    }
    const link = Object.assign(document.createElement("a"), { href: `#trial-${place}` });
    link.textContent = `The row of ${trialTable.name(place)}`;
    line.replaceChildren(link);
  };

  // What a cell of a map, a bar or a step of a distribution says of the trials that it stands for.
  const choices = ({ x, y, equal, most }, point) => {
    const within = (key, low, high) => ({
      key,
      text: low === high ? String(low) : `${low === -Infinity ? "" : Number(low.toPrecision(3))}..${Number(high.toPrecision(3))}`,
      test: (value) => value !== null && low <= value && value <= high,
    });
    const found = Object.entries(equal ?? {}).map(([key, sought]) => ({
      key,
      text: sought,
      test: (value) => value === sought,
    }));
    if (x) found.push(within(x.key, ...x.ranges[point.pointNumber[1]]), within(y.key, ...y.ranges[point.pointNumber[0]]));
    if (most) found.push(within(most, -Infinity, point.x + 1e-9));
    return found;
  };

  const clicked = (plot, { points: [point] }) => {
    const trace = read(`values-${plot.dataset.plot}`).data[point.data?.of ?? point.curveNumber];
    if (!trialTable || !trace) return;
    if (trace.choose) {
      trialTable.choose(choices(trace.choose, point));
      trialTable.scrollTo();
      return;
    }
    const place = trace.trials?.[point.pointNumber];
    if (place === null || place === undefined) return;
    if (pointer === "touch") offer(plot, place);
    else toRow(place);
  };

  const follow = () => {
    const place = window.location.hash.match(/^#trial-(\d+)$/);
    if (place) trialTable?.show(Number(place[1]));
    else openTabOf(document.getElementById(decodeURIComponent(window.location.hash.slice(1))));
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#trial-']");
    if (link && link.getAttribute("href") === window.location.hash) follow();
  });
  window.addEventListener("hashchange", follow);

  // --- tabs ------------------------------------------------------------------------------------------------------

  let tabs = [];
  const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
  const openTab = (chosen) => {
    tabs.filter((tab) => tab.parentElement === chosen.parentElement).forEach((tab) => {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      panelOf(tab).hidden = tab !== chosen;
    });
    panelOf(chosen).querySelectorAll("[data-plot]").forEach((plot) => { if (plot.on) window.Plotly.Plots.resize(plot); });
    tellCut();
  };
  const openTabOf = (target) => {
    const panel = target?.closest(".panel");
    if (!panel) return;
    if (panel.hidden) openTab(document.getElementById(panel.getAttribute("aria-labelledby")));
    target.scrollIntoView();
  };
  const listenTo = (tab) => {
    tab.addEventListener("click", () => openTab(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      const row = [...tab.parentElement.children];
      if (!step) return;
      const next = row[(row.indexOf(tab) + step + row.length) % row.length];
      openTab(next);
      next.focus();
    });
  };
  const showTabs = () => {
    document.querySelectorAll("[role=tablist]").forEach((list) => {
      list.hidden = false;
      openTab(list.querySelector("[aria-selected=true]") ?? list.firstElementChild);
    });
  };

  // --- drawing ---------------------------------------------------------------------------------------------------

  const draw = (plot, dark) => {
    const theme = themes[dark ? "dark" : "light"];
    const { data, layout } = read(`values-${plot.dataset.plot}`);
    const traces = linkedTraces(data, choice.rows).map(named);
    if (data.some(({ trials }) => trials)) linked.add(plot);
    const styled = traces.map(({ x, y, z, text, hovertext, customdata, ...style }) => {
      const values = { x, y, z, text, hovertext, customdata };
      const given = Object.entries(values).filter(([, value]) => value !== undefined);
      return { ...coloured(style, theme), ...Object.fromEntries(given) };
    });
    return window.Plotly.react(plot, styled, coloured(layout, theme), config);
  };

  const drawOne = async (plot, dark) => {
    const first = !plot.on;
    await draw(plot, dark);
    if (first) {
      plot.on("plotly_click", (event) => clicked(plot, event));
      plot.on("plotly_afterplot", tellCut); // a plot follows the window a little later
    }
  };

  const drawAll = async (dark) => {
    if (!isLive) document.querySelectorAll(".panel").forEach((panel) => { panel.hidden = false; }); // hidden: no size
    let drawn = 0;
    for (const plot of plots) {
      if (isLive && !plot.on) near.observe(plot);
      else await drawOne(plot, dark);
      drawn += 1;
    }
    parallelPlot?.draw(themes[dark ? "dark" : "light"]);
    showTabs();
    tellCut();
    if (!hasFollowed && (trialTable || !isLive)) follow();
    hasFollowed ||= Boolean(trialTable || !isLive); // a live page begins without a table
    document.documentElement.dataset.drawn = String(drawn);
  };

  // What has come near the screen is drawn, once.
  const near = new IntersectionObserver(
    (seen) => seen.filter(({ isIntersecting }) => isIntersecting).forEach(({ target }) => {
      near.unobserve(target);
      drawOne(target, scheme.matches);
    }),
    { rootMargin: "500px" },
  );

  // Other trials are chosen: what is near the screen is drawn anew now, the rest when it comes near.
  const linked = new Set(); // figures whose points are trials
  const choice = makeChoice(() => linked.forEach((plot) => {
    near.unobserve(plot);
    near.observe(plot);
  }));

  // What is cut at the screen's edge says so.
  let boxes = [];
  const tellCut = () =>
    boxes.forEach((box) => box.classList.toggle("cut", box.scrollWidth > box.clientWidth + 1));
  window.addEventListener("resize", tellCut);
  document.addEventListener("toggle", tellCut, true);

  const collect = () => {
    plots = [...document.querySelectorAll("[data-plot]")];
    tabs = [...document.querySelectorAll("[role=tab]")];
    tabs.forEach(listenTo);
    boxes = [...document.querySelectorAll(".scroll")];
    trialTable?.onChange(tellCut);
    linked.clear();
    choice.follow();
  };

  // --- a page whose content is replaced --------------------------------------------------------------------------

  // The first thing on the screen, which stays where it is.
  const anchor = () =>
    [...document.querySelectorAll("#report section[id], #report figure[id]")].find(
      (each) => each.getBoundingClientRect().bottom > 0 && each.offsetHeight < 2 * window.innerHeight,
    );

  // Calls `replace`, which puts a new report into the page; filters, order, brushes, tabs, open tables and place stay.
  const renew = async (replace) => {
    const first = anchor();
    const [at, top] = [first?.id, first?.getBoundingClientRect().top];
    const open = [...document.querySelectorAll("#report details[open]")].map((each) => each.closest("[id]")?.id);
    const chosen = tabs.filter((tab) => tab.getAttribute("aria-selected") === "true").map((tab) => tab.id);
    const kept = { table: trialTable?.kept(), brushes: parallelPlot?.kept() };
    plots.forEach((plot) => { near.unobserve(plot); if (plot.on) window.Plotly.purge(plot); });
    replace();
    hovers = read("hovers");
    trialTable = makeTrialTable(kept.table);
    parallelPlot = makeParallelPlot(kept.brushes);
    collect();
    chosen.forEach((id) => document.getElementById(id)?.setAttribute("aria-selected", "true"));
    open.filter(Boolean).forEach((id) => {
      const details = document.getElementById(id)?.querySelector("details");
      if (details) details.open = true;
    });
    await drawAll(scheme.matches);
    const again = at && document.getElementById(at);
    if (again) window.scrollBy(0, again.getBoundingClientRect().top - top);
  };

  // Draws a figure anew from the JSON beside it, if it was drawn: what is not near the screen will be later.
  const redraw = (key) => {
    const plot = plots.find((each) => each.dataset.plot === key);
    if (plot?.on) draw(plot, scheme.matches);
  };

  collect();
  scheme.addEventListener("change", () => drawAll(scheme.matches));
  window.addEventListener("beforeprint", () => drawAll(false));
  window.addEventListener("afterprint", () => drawAll(scheme.matches));
  drawAll(scheme.matches);
  return { renew, redraw };
})();
