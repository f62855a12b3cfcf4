"use strict";
(async () => {
  const unpacked = async (name) => {
    const bytes = Uint8Array.from(atob(document.getElementById(name).textContent), (one) => one.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  if (document.getElementById("library")) {
    const library = document.createElement("script");
    library.textContent = await unpacked("library");
    document.body.append(library);
  }

  const canvases = [...document.querySelectorAll(".canvas")];
  const specs = new Map();
  for (const canvas of canvases) specs.set(canvas, JSON.parse(await unpacked(canvas.dataset.figure)));
  const config = { displayModeBar: false, showSendToCloud: false, plotlyServerURL: "", responsive: true };
  const specOf = (canvas) => structuredClone(specs.get(canvas));
  const ink = () => getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  const layoutOf = (canvas, spec, color) => {
    const narrow = canvas.clientWidth < 480;
    const layout = structuredClone(spec.layout);
    delete layout.title;
    delete layout.meta;
    layout.margin = { l: 4, r: 14, t: layout.annotations || layout.showlegend ? 26 : 8, b: 4 };
    layout.font = { ...layout.font, size: narrow ? 11 : 13, color };
    layout.autosize = true;
    if (narrow && layout.xaxis.type === "date") layout.xaxis.nticks = 4;
    return layout;
  };
  const draw = (canvas, color = ink()) => {
    if (!globalThis.Plotly) {
      canvas.textContent = "Not drawn: plotly.js, which came with this page, is not beside it. The numbers are below.";
      return undefined;
    }
    const spec = specOf(canvas);
    for (const trace of spec.data) if (trace.error_x) trace.error_x.color = color;
    canvas.dataset.drawn = color;
    return Plotly.react(canvas, spec.data, layoutOf(canvas, spec, color), config);
  };
  const seen = () => canvases.filter((canvas) => canvas.clientWidth > 0);
  const drawSeen = (color) => seen().forEach((canvas) => draw(canvas, color));

  // the numbers of a figure as a table: built when a reader opens it
  const cell = (kind, value) => {
    const made = document.createElement(kind);
    made.textContent = typeof value === "number" ? value.toLocaleString("en", { maximumSignificantDigits: 4 }) : (value ?? "–");
    if (typeof value === "number") made.className = "number";
    return made;
  };
  const numbers = (details) => {
    const canvas = details.parentElement.querySelector(".canvas");
    const rows = specOf(canvas).layout.meta?.rows ?? [];
    const table = document.createElement("table");
    for (const [place, values] of [Object.keys(rows[0] ?? {}), ...rows.map(Object.values)].entries()) {
      const row = table.insertRow();
      for (const value of values) row.append(cell(place ? "td" : "th", value));
    }
    details.append(Object.assign(document.createElement("div"), { className: "scroll", tabIndex: 0 }));
    details.lastElementChild.append(table);
  };
  document.querySelectorAll(".plot details").forEach((one) => one.addEventListener("toggle", () => numbers(one), { once: true }));
  document.querySelectorAll(".chapter").forEach((one) =>
    one.addEventListener("toggle", () => one.open && one.querySelectorAll(".canvas:not([data-drawn])").forEach((canvas) => draw(canvas))),
  );

  // a link into the evidence opens what it leads to
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest("details");
    if (folded) folded.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  drawSeen(ink());

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawSeen(ink()));
  addEventListener("beforeprint", () => drawSeen("#000"));
  addEventListener("afterprint", () => drawSeen(ink()));
  document.documentElement.dataset.figures = canvases.length;
})();
