// Draws every figure of the page from the JSON beside it, in the colours of the screen's scheme.
(() => {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const themes = read("themes");
  const hovers = read("hovers");
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  const plots = [...document.querySelectorAll("[data-plot]")];
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
  const named = ({ trials, ...trace }) =>
    trials ? { ...trace, hovertext: trials.map((place) => (place === null ? "" : hovers[place])) } : trace;

  const draw = (plot, dark) => {
    const theme = themes[dark ? "dark" : "light"];
    const { data, layout } = read(`values-${plot.dataset.plot}`);
    const traces = data.map(named);
    const styled = traces.map(({ x, y, z, text, hovertext, customdata, ...style }) => {
      const values = { x, y, z, text, hovertext, customdata };
      const given = Object.entries(values).filter(([, value]) => value !== undefined);
      return { ...coloured(style, theme), ...Object.fromEntries(given) };
    });
    return window.Plotly.react(plot, styled, coloured(layout, theme), config);
  };

  const drawAll = async (dark) => {
    let drawn = 0;
    for (const plot of plots) {
      await draw(plot, dark);
      drawn += 1;
    }
    tellCut();
    document.documentElement.dataset.drawn = String(drawn);
  };

  // What is cut at the screen's edge says so.
  const boxes = [...document.querySelectorAll(".scroll")];
  const tellCut = () =>
    boxes.forEach((box) => box.classList.toggle("cut", box.scrollWidth > box.clientWidth + 1));
  window.addEventListener("resize", tellCut);
  document.addEventListener("toggle", tellCut, true);

  scheme.addEventListener("change", () => drawAll(scheme.matches));
  window.addEventListener("beforeprint", () => drawAll(false));
  window.addEventListener("afterprint", () => drawAll(scheme.matches));
  drawAll(scheme.matches);
})();
