// Parallel coordinates of all trials on a canvas. A range drawn along an axis is a filter of the table, and the other
// way round: both show the same trials. `kept` is what `kept()` gave of the plot that this one takes the place of.
const makeParallelPlot = (kept) => {
  "use strict";
  const host = document.querySelector(".parallel");
  if (!host || !trialTable) return null;
  const { axes } = JSON.parse(document.getElementById("values-parallel").textContent);
  const readout = document.querySelector("#parallel .readout");
  const [TOP, BOTTOM, SIDE] = [40, 14, 58]; // pixels around the axes
  const STRIP = 17; // half the width of an axis for a pointer
  const NEAR = 7; // pixels between a pointer and the line that it means
  const STRONG = 0.72; // of the colours of a map: the weakest of them are no colours for lines
  const SVG = "http://www.w3.org/2000/svg";

  // Where a value lies on its axis, from 0 to 1; NaN where there is none.
  const placeOn = (axis) => {
    if (axis.scale === "levels") {
      const places = new Map(axis.levels.map((level, place) => [level, place / (axis.levels.length - 1)]));
      return (value) => (value === null ? NaN : places.get(value));
    }
    const scaled = axis.scale === "log" ? Math.log : (value) => value;
    const [low, high] = [scaled(axis.low), scaled(axis.high)];
    const clipped = (value) => Math.max(axis.low, value); // an error of 0 stands at the low end of a logarithm
    return (value) => (value === null ? NaN : (scaled(axis.scale === "log" ? clipped(value) : value) - low) / (high - low));
  };
  const valueAt = (axis, place) => {
    if (place <= 0.002) return -Infinity;
    if (place >= 0.998) return Infinity;
    if (axis.scale === "log") return axis.low * (axis.high / axis.low) ** place;
    return axis.low + place * (axis.high - axis.low);
  };
  let [positions, ends, measured, rank, drawn] = [];
  const measure = () => {
    positions = axes.map((axis) => Float32Array.from(trialTable.column(axis.key).values, placeOn(axis)));
    ends = trialTable.column("end").values;
    measured = trialTable.column("end_kind").values.map((kind) => kind === "measured");
    // Colours by rank, so that a few very bad trials do not make all others look alike.
    const ranked = measured.flatMap((known, row) => (known ? [row] : [])).sort((one, other) => ends[one] - ends[other]);
    rank = new Float32Array(trialTable.count).fill(NaN);
    ranked.forEach((row, place) => { rank[row] = place / Math.max(1, ranked.length - 1); });
    const others = measured.flatMap((known, row) => (known ? [] : [row]));
    drawn = [...others, ...ranked.slice().reverse()]; // the best last, on top
  };
  measure();

  const canvas = document.createElement("canvas");
  const over = document.createElementNS(SVG, "svg");
  host.append(canvas, over);
  const brushes = new Map(); // axis -> { low, high, filter }
  let theme = null;
  let size = { width: 0, height: 0 };

  const x = (axis) => SIDE + (axis * (size.width - 2 * SIDE)) / (axes.length - 1);
  const y = (place) => size.height - BOTTOM - place * (size.height - TOP - BOTTOM);
  const placeAt = (top) => Math.max(0, Math.min(1, (size.height - BOTTOM - top) / (size.height - TOP - BOTTOM)));

  const path = (pen, row) => {
    let on = false;
    pen.beginPath();
    for (let axis = 0; axis < axes.length; axis += 1) {
      const place = positions[axis][row];
      if (Number.isNaN(place)) on = false;
      else if (on) pen.lineTo(x(axis), y(place));
      else pen.moveTo(x(axis), y(place));
      if (!Number.isNaN(place)) on = true;
    }
    pen.stroke();
  };

  const colourOf = (share) => {
    const stops = theme.map;
    const at = share * STRONG * (stops.length - 1);
    return stops[Math.round(at)][1];
  };

  const drawLines = (lit) => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = size.width * ratio;
    canvas.height = size.height * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.lineJoin = "round";
    const chosen = new Uint8Array(trialTable.count);
    trialTable.shown.forEach((row) => { chosen[row] = 1; });
    const some = trialTable.shown.length < trialTable.count;
    const dense = Math.max(0.08, Math.min(1, 6 / Math.sqrt(trialTable.shown.length || 1)));
    const pass = (rows, colour, alpha, width) => {
      pen.globalAlpha = alpha;
      pen.lineWidth = width;
      rows.forEach((row) => {
        pen.strokeStyle = colour(row);
        path(pen, row);
      });
    };
    const pale = () => theme.pale;
    if (some) pass(drawn.filter((row) => !chosen[row]), () => theme.line, 0.5 * dense, 1);
    pass(drawn.filter((row) => chosen[row] && !measured[row]), pale, 0.55 * dense, 1);
    pass(drawn.filter((row) => chosen[row] && measured[row]), (row) => colourOf(rank[row]), Math.max(0.35, dense), 1.4);
    if (lit !== undefined) pass([lit], () => theme.orange, 1, 2.5);
  };

  const make = (tag, attributes, text) => {
    const element = document.createElementNS(SVG, tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const drawAxes = () => {
    over.setAttribute("width", size.width);
    over.setAttribute("height", size.height);
    over.replaceChildren();
    axes.forEach((axis, number) => {
      const at = x(number);
      over.append(make("text", { x: at, y: 16, class: "title" }, axis.title));
      over.append(make("line", { x1: at, x2: at, y1: y(0), y2: y(1), class: "axis" }));
      const place = placeOn(axis);
      axis.ticks.forEach(([value, text]) => {
        const height = y(axis.scale === "levels" ? value : place(value));
        over.append(make("line", { x1: at - 4, x2: at, y1: height, y2: height, class: "axis" }));
        over.append(make("text", { x: at - 7, y: height + 4, class: "tick" }, text));
      });
      const brush = brushes.get(number);
      if (brush) {
        const [top, bottom] = [y(brush.high), y(brush.low)];
        over.append(make("rect", { x: at - 7, y: top, width: 14, height: Math.max(2, bottom - top), class: "brush" }));
      }
      const strip = make("rect", { x: at - STRIP, y: TOP - 8, width: 2 * STRIP, height: size.height - TOP, class: "strip" });
      strip.dataset.axis = number;
      over.append(strip);
    });
  };

  const draw = (lit) => {
    if (!theme) return;
    size = { width: host.clientWidth, height: host.clientHeight };
    if (size.width < 2 * SIDE) return;
    drawLines(lit);
    drawAxes();
  };

  // --- brushing ---------------------------------------------------------------------------------------------------

  const setBrush = (number, low, high) => {
    const axis = axes[number];
    if (high - low < 0.01) {
      brushes.delete(number);
      trialTable.choose([{ key: axis.key }]);
      return;
    }
    let text;
    let test;
    if (axis.scale === "levels") {
      const inside = axis.levels.filter((_, place) => {
        const at = place / (axis.levels.length - 1);
        return low - 1e-9 <= at && at <= high + 1e-9;
      });
      const found = new Set(inside);
      text = inside.join(" | ");
      test = (value) => found.has(value);
    } else {
      const [from, to] = [valueAt(axis, low), valueAt(axis, high)];
      const told = (value) => (Number.isFinite(value) ? Number(value.toPrecision(3)) : "");
      text = `${told(from)}..${told(to)}`;
      test = (value) => value !== null && from <= value && value <= to;
    }
    brushes.set(number, { low, high, test });
    trialTable.choose([{ key: axis.key, text, test }]);
  };

  let held = null; // { axis, from, to }
  let brushed = false;
  const top = (event) => event.clientY - over.getBoundingClientRect().top;
  over.addEventListener("pointerdown", (event) => {
    const number = event.target.dataset.axis;
    if (number === undefined || event.button !== 0) return;
    event.preventDefault();
    over.setPointerCapture(event.pointerId);
    const place = placeAt(top(event));
    held = { axis: Number(number), from: place, to: place };
  });
  over.addEventListener("pointermove", (event) => {
    if (!held) {
      hover(event);
      return;
    }
    held.to = placeAt(top(event));
    brushes.set(held.axis, { low: Math.min(held.from, held.to), high: Math.max(held.from, held.to) });
    drawAxes();
  });
  over.addEventListener("pointerup", (event) => {
    if (!held) return;
    const { axis, from } = held;
    const to = placeAt(top(event));
    held = null;
    brushed = true; // the click that follows means no line
    setBrush(axis, Math.min(from, to), Math.max(from, to));
  });
  over.addEventListener("pointercancel", () => {
    held = null;
    draw();
  });

  // --- one line -----------------------------------------------------------------------------------------------------

  const nearest = (event) => {
    if (event.target.dataset.axis !== undefined) return undefined;
    const box = over.getBoundingClientRect();
    const share = ((event.clientX - box.left - SIDE) / (size.width - 2 * SIDE)) * (axes.length - 1);
    const left = Math.floor(share);
    if (left < 0 || left + 1 >= axes.length) return undefined;
    const height = event.clientY - box.top;
    let [found, least] = [undefined, NEAR];
    trialTable.shown.forEach((row) => {
      const [one, other] = [positions[left][row], positions[left + 1][row]];
      const off = Math.abs(y(one + (other - one) * (share - left)) - height);
      if (off < least) [found, least] = [row, off];
    });
    return found;
  };
  let lit;
  const tell = (row) => {
    if (row === lit) return;
    lit = row;
    drawLines(lit);
    over.style.cursor = row === undefined ? "" : "pointer";
    if (row === undefined) readout.textContent = "";
    else {
      const end = ends[row] === null ? "no end" : `${measured[row] ? "measured" : "predicted"} ${ends[row].toFixed(2)} %`;
      readout.textContent = `${trialTable.name(row)}: ${end}`;
    }
  };
  const hover = (event) => tell(nearest(event));
  over.addEventListener("pointerleave", () => tell(undefined));
  over.addEventListener("click", (event) => {
    const row = brushed ? undefined : nearest(event);
    brushed = false;
    if (row !== undefined) window.location.hash = `trial-${row}`;
  });

  trialTable.onChange(() => {
    if (positions[0].length !== trialTable.count) measure(); // rows were added
    for (const [number, brush] of brushes) {
      if (trialTable.filterOf(axes[number].key)?.test !== brush.test) brushes.delete(number);
    }
    draw();
  });
  new ResizeObserver(() => draw()).observe(host);
  kept?.forEach(([key, low, high]) => {
    const number = axes.findIndex((axis) => axis.key === key);
    if (number >= 0) setBrush(number, low, high);
  });

  return {
    kept: () => [...brushes].map(([number, { low, high }]) => [axes[number].key, low, high]),
    draw(colours) {
      theme = colours;
      draw();
    },
  };
};
let parallelPlot = makeParallelPlot();
