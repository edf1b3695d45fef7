// The table of all trials: sorted, filtered, in pages. Points of figures lead to its rows; the CSV holds what it shows.
// Texts enter the page as textContent only, so no name or error message can act in it. `kept` is what `kept()` gave of
// the table that this one takes the place of.
const makeTrialTable = (kept) => {
  "use strict";
  const host = document.getElementById("trials-table");
  const data = document.getElementById("trial-columns");
  if (!host || !data) return null;
  const ROWS = 25; // of a page
  const LONG = 120; // signs of a text that a cell shows
  const NONE = "\u2013";
  const columns = JSON.parse(data.textContent).columns.map(({ texts, at, ...column }) => ({
    ...column,
    values: at ? at.map((place) => (place === null ? null : texts[place])) : column.values,
  }));
  let count = columns[0].values.length;
  const collator = new Intl.Collator("en", { numeric: true });
  const listeners = [];
  const filters = new Map(); // column -> { text, test }
  let sorted = null; // { column, down }
  let shown = Array.from({ length: count }, (_, row) => row);
  let page = 0;
  let chosen = null; // the row that a point led to

  const numeric = (column) => column.kind !== "text";

  // A value as the table shows it: errors with two digits, other numbers with four significant ones.
  const told = (value, kind) => {
    if (value === null) return NONE;
    if (kind === "percent") return value.toFixed(2);
    if (kind === "count") return value.toLocaleString("en-US");
    if (kind !== "real") return String(value);
    const short = Number(value.toPrecision(4));
    return short !== 0 && Math.abs(short) < 1e-4 ? short.toExponential() : String(short);
  };

  // --- filters -------------------------------------------------------------------------------------------------

  const number = (text) => {
    const bare = text.replace(/[,%\s]/g, "");
    return bare === "" ? NaN : Number(bare);
  };

  // `0.1..0.3`, `>5`, `<=2`, a value; undefined for what is none of them.
  const numberTest = (text, kind) => {
    const range = text.match(/^(.*?)\.\.(.*)$/);
    if (range) {
      const [low, high] = [range[1].trim() ? number(range[1]) : -Infinity, range[2].trim() ? number(range[2]) : Infinity];
      return Number.isNaN(low + high) && !(low === -Infinity && high === Infinity)
        ? undefined
        : (value) => value !== null && low <= value && value <= high;
    }
    const compared = text.match(/^(<=|>=|<|>|=)(.*)$/);
    const limit = number(compared ? compared[2] : text);
    if (Number.isNaN(limit)) return undefined;
    const same = (value) => value === limit || number(told(value, kind)) === limit; // as the cell shows it
    const tests = {
      "<": (value) => value < limit,
      "<=": (value) => value <= limit,
      ">": (value) => value > limit,
      ">=": (value) => value >= limit,
    };
    const test = tests[compared?.[1]] ?? same;
    return (value) => value !== null && test(value);
  };

  const textTest = (text) => {
    const sought = text.toLowerCase();
    return (value) => value !== null && value.toLowerCase().includes(sought);
  };

  // Alternatives stand between bars; `none` finds what has no value.
  const parsed = (text, column) => {
    const parts = text.split("|").map((part) => part.trim()).filter(Boolean);
    const tests = parts.map((part) => {
      if (numeric(column) && /^(none|\u2013)$/i.test(part)) return (value) => value === null;
      return numeric(column) ? numberTest(part, column.kind) : textTest(part);
    });
    return tests.includes(undefined) ? undefined : (value) => tests.some((test) => test(value));
  };

  const refresh = () => {
    const tests = [...filters].map(([place, { test }]) => [columns[place].values, test]);
    shown = [];
    for (let row = 0; row < count; row += 1) {
      if (tests.every(([values, test]) => test(values[row]))) shown.push(row);
    }
    if (sorted) {
      const { values, kind } = columns[sorted.column];
      const sign = sorted.down ? -1 : 1;
      const compare = kind === "text" ? collator.compare : (first, second) => first - second;
      shown.sort((first, second) => {
        const [a, b] = [values[first], values[second]];
        if (a === null || b === null) return (a === null) - (b === null) || first - second; // nothing comes last
        return sign * compare(a, b) || first - second;
      });
    }
    page = 0;
  };

  const changed = () => {
    refresh();
    render();
    listeners.forEach((listener) => listener());
  };

  const setFilter = (place, text, test) => {
    if (test === null) filters.delete(place);
    else filters.set(place, { text, test });
  };

  // --- the table ------------------------------------------------------------------------------------------------

  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const listed = columns.map((column, place) => ({ ...column, place })).filter((column) => column.listed);
  const body = make("tbody");
  const tally = make("span", { className: "tally" });
  const where = make("span");
  tally.setAttribute("role", "status");
  const back = make("button", { type: "button", textContent: "Previous" });
  const next = make("button", { type: "button", textContent: "Next" });
  const csv = make("button", { type: "button", className: "csv" });
  const clear = make("button", { type: "button", textContent: "Show all" });
  const inputs = new Map();
  const heads = new Map();

  const cell = (column, row) => {
    const value = column.values[row];
    const text = told(value, column.kind);
    const short = text.length > LONG ? `${text.slice(0, LONG)}\u2026` : text;
    const address = column.place === 0 ? globalThis.trialAddress?.(row) : undefined; // a live page has one for each trial
    const made = make("td", {}, address ? make("a", { href: address, textContent: short }) : short);
    if (column.kind === "text") made.className = text.length > 48 ? "text long" : "text";
    if (text.length > LONG) made.title = text;
    return made;
  };

  const render = () => {
    const first = page * ROWS;
    const rows = shown.slice(first, first + ROWS).map((row) => {
      const line = make("tr", { id: `trial-${row}`, tabIndex: -1 }, ...listed.map((column) => cell(column, row)));
      line.classList.toggle("chosen", row === chosen);
      return line;
    });
    body.replaceChildren(...rows);
    const all = count.toLocaleString("en-US");
    const some = `${shown.length.toLocaleString("en-US")} of`;
    tally.textContent = `${shown.length === count ? "all" : some} ${all} trials`;
    where.textContent = shown.length ? `rows ${first + 1} to ${first + rows.length}` : "no trial fits the filters";
    csv.textContent = `Save ${shown.length === count ? "all" : "these"} as CSV`;
    back.disabled = page === 0;
    next.disabled = first + ROWS >= shown.length;
    clear.hidden = filters.size === 0;
    for (const [place, input] of inputs) {
      const filter = filters.get(place);
      if (document.activeElement !== input) input.value = filter ? filter.text : "";
    }
    for (const [place, head] of heads) {
      const order = sorted?.column === place ? (sorted.down ? "descending" : "ascending") : "none";
      head.setAttribute("aria-sort", order);
    }
  };

  const build = () => {
    const titles = listed.map((column) => {
      const button = make("button", { type: "button", textContent: column.title });
      button.addEventListener("click", () => {
        const again = sorted?.column === column.place;
        sorted = again && sorted.down ? null : { column: column.place, down: again };
        changed();
      });
      const head = make("th", { scope: "col", className: column.kind === "text" ? "text" : "" }, button);
      heads.set(column.place, head);
      return head;
    });
    const fields = listed.map((column) => {
      const input = make("input", { type: "text", size: 8, autocomplete: "off", spellcheck: false });
      input.setAttribute("aria-label", `Filter of ${column.title}`);
      input.placeholder = numeric(column) ? "a..b, >a" : "part of it";
      input.addEventListener("input", () => {
        const test = input.value.trim() ? parsed(input.value, columns[column.place]) : null;
        input.setAttribute("aria-invalid", String(test === undefined));
        setFilter(column.place, input.value, test === undefined ? null : test);
        changed();
      });
      inputs.set(column.place, input);
      return make("td", { className: column.kind === "text" ? "text" : "" }, input);
    });
    const head = make("thead", {}, make("tr", {}, ...titles), make("tr", { className: "filters" }, ...fields));
    const scroll = make("div", { className: "scroll" }, make("table", {}, head, body));
    const hint = make("p", { className: "hint", textContent: "Wider than this screen: scroll sideways to see the rest." });
    const bar = make("div", { className: "bar" }, tally, where, back, next, clear, csv);
    back.addEventListener("click", () => turn(page - 1));
    next.addEventListener("click", () => turn(page + 1));
    clear.addEventListener("click", () => showAll());
    csv.addEventListener("click", save);
    host.replaceChildren(bar, scroll, hint);
  };

  const turn = (to) => {
    page = Math.max(0, Math.min(to, Math.ceil(shown.length / ROWS) - 1));
    render();
  };

  const showAll = () => {
    filters.clear();
    inputs.forEach((input) => { Object.assign(input, { value: "", ariaInvalid: "false" }); });
    changed();
  };

  // --- CSV ------------------------------------------------------------------------------------------------------

  // RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe before it.
  const field = (value) => {
    if (value === null) return "";
    if (typeof value !== "string") return String(value);
    const text = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(value) ? `'${value}` : value;
    return /[",;\r\n\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csvText = () => {
    const lines = [columns.map((column) => field(column.key))];
    shown.forEach((row) => lines.push(columns.map((column) => field(column.values[row]))));
    return lines.map((line) => `${line.join(",")}\r\n`).join("");
  };
  const save = () => {
    const address = URL.createObjectURL(new Blob([csvText()], { type: "text/csv;charset=utf-8" }));
    const link = make("a", { href: address, download: host.dataset.file });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  };

  // Values of rows, of new ones too: { at, values }, by the keys of the columns. The page that is seen stays.
  const update = (rows) => {
    rows.forEach(({ at, values }) => {
      columns.forEach((column) => {
        if (at >= count) column.values[at] = values[column.key] ?? null;
        else if (column.key in values) column.values[at] = values[column.key];
      });
      count = Math.max(count, at + 1);
    });
    const seen = page;
    refresh();
    turn(seen);
    listeners.forEach((listener) => listener());
  };

  const restore = ({ texts, order, seen, lit }) => {
    texts.forEach(([key, text]) => {
      const place = columns.findIndex((column) => column.key === key);
      const test = place < 0 ? undefined : parsed(text, columns[place]);
      if (test) setFilter(place, text, test);
    });
    const column = columns.findIndex((each) => each.key === order?.key);
    sorted = column < 0 ? null : { column, down: order.down };
    chosen = lit;
    refresh();
    page = Math.max(0, Math.min(seen, Math.ceil(shown.length / ROWS) - 1));
  };

  build();
  if (kept) restore(kept);
  render();

  return {
    get count() { return count; },
    update,
    kept: () => ({
      texts: [...filters].map(([place, { text }]) => [columns[place].key, text]),
      order: sorted && { key: columns[sorted.column].key, down: sorted.down },
      ...{ seen: page, lit: chosen },
    }),
    column: (key) => columns.find((column) => column.key === key),
    name: (row) => columns[0].values[row],
    told,
    get shown() { return shown; },
    onChange: (listener) => listeners.push(listener),
    filterOf: (key) => filters.get(columns.findIndex((column) => column.key === key)),

    // Chooses by tests of columns: { key, text, test }, where no test lets the column go.
    choose(choices) {
      choices.forEach(({ key, text, test }) => {
        const place = columns.findIndex((column) => column.key === key);
        if (place >= 0) setFilter(place, text ?? "", test ?? null);
      });
      changed();
    },

    // Turns to the page of a row, which is lit and gets the focus.
    show(row) {
      if (!(row >= 0 && row < count)) return;
      if (!shown.includes(row)) showAll();
      chosen = row;
      turn(Math.floor(shown.indexOf(row) / ROWS));
      const line = document.getElementById(`trial-${row}`);
      line.scrollIntoView({ block: "center" });
      line.focus({ preventScroll: true });
    },
    showAll,
    scrollTo: () => host.scrollIntoView({ block: "start" }),
  };
};
let trialTable = makeTrialTable();
