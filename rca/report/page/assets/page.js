"use strict";
(() => {
  const canvases = [...document.querySelectorAll(".canvas")];
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
  const draw = (canvas, color) => {
    const spec = JSON.parse(document.getElementById(canvas.dataset.figure).textContent);
    for (const trace of spec.data) if (trace.error_x) trace.error_x.color = color;
    return Plotly.react(canvas, spec.data, layoutOf(canvas, spec, color), { displayModeBar: false, responsive: true });
  };
  const drawAll = (color) => canvases.forEach((canvas) => draw(canvas, color));
  drawAll(ink());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(ink()));
  addEventListener("beforeprint", () => drawAll("#000"));
  addEventListener("afterprint", () => drawAll(ink()));
  document.documentElement.dataset.drawn = canvases.length;
})();
