// The past as curves over the number of the event, and the slider that goes there.

import { make, fill } from "./dom.js";
import { count, seconds } from "./numbers.js";

export class Timeline {
  constructor(element, scrub) {
    this.canvas = make("canvas", { role: "img", "aria-label": "Vacancies, and ions of the core that have left it, over the events so far" });
    this.slider = make("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "Event", oninput: () => scrub(Number(this.slider.value)) });
    this.from = make("span");
    this.marks = make("span");
    this.to = make("span");
    this.key = make("div", { class: "key" });
    element.append(make("div", {}, this.canvas, this.slider, make("div", { class: "ends" }, this.from, this.marks, this.to)), this.key);
    this.data = { curves: [], hits: [], parting: null };
    this.now = 0;
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  // curves: [{event, t, vacancies, outside}] of each line on show; hits: events at breakpoints; parting: event or null.
  take(data) {
    this.data = data;
    this.draw();
  }

  // Where the run is: pane of the active line.
  stand(pane) {
    [this.first, this.last, this.now] = [pane.first, Math.max(pane.known, pane.event), pane.event];
    Object.assign(this.slider, { min: this.first, max: this.last });
    if (document.activeElement !== this.slider || Number(this.slider.value) !== this.now) this.slider.value = this.now;
    this.slider.setAttribute("aria-valuetext", `event ${this.now}, ${seconds(pane.time)}`);
    this.from.textContent = `event ${count(this.first)}`;
    this.to.textContent = this.last > this.now ? `known up to ${count(this.last)}` : `event ${count(this.now)}`;
    const outside = pane.outside === null ? [] : [make("span", {}, "out of the core"), make("b", { style: { color: "var(--two)" } }, `${pane.outside.toFixed(2)} %`)];
    fill(this.key, make("span", {}, "vacancies"), make("b", { style: { color: "var(--one)" } }, count(pane.vacancies)), ...outside);
    this.draw();
  }

  draw() {
    const { canvas, data } = this, ratio = window.devicePixelRatio || 1, [w, h] = [canvas.clientWidth, canvas.clientHeight];
    if (!w) return;
    Object.assign(canvas, { width: w * ratio, height: h * ratio });
    const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name);
    pen.scale(ratio, ratio);
    const span = Math.max(1, this.last - this.first), x = (event) => 3 + ((w - 6) * (event - this.first)) / span;
    const vertical = (event, kind, width) => {
      pen.strokeStyle = colour(kind);
      pen.lineWidth = width;
      pen.beginPath();
      pen.moveTo(x(event), 0);
      pen.lineTo(x(event), h);
      pen.stroke();
    };
    for (const event of data.hits) vertical(event, "--line", 1);
    for (const name of ["vacancies", "outside"]) {
      const most = Math.max(1e-9, ...data.curves.flatMap((pane) => pane[name]));
      data.curves.forEach((pane, k) => {
        pen.strokeStyle = colour(name === "vacancies" ? "--one" : "--two");
        pen.lineWidth = k ? 1.2 : 1.8;
        pen.setLineDash(k ? [4, 3] : []);
        pen.beginPath();
        pane.event.forEach((event, j) => pen.lineTo(x(event), h - 3 - ((h - 6) * pane[name][j]) / most));
        pen.stroke();
      });
      pen.setLineDash([]);
    }
    if (data.parting !== null) vertical(data.parting, "--accent", 2);
    vertical(this.now, "--ink", 1);
    this.marks.textContent = [data.parting === null ? "" : `parting at event ${count(data.parting)}`, data.hits.length ? `breakpoint hits: ${data.hits.length}` : ""].filter(Boolean).join(" · ");
  }
}
