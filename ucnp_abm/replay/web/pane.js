// One crystal on show: its occupants, what of them is visible, and what is drawn over them.

import { make, makeSvg, fill } from "./dom.js";
import { count } from "./numbers.js";
import { VACANCY, amountColours, amountPalette, kindColour, rgbOf, unknownColour } from "./colours.js";
import { Spheres } from "./spheres.js";

const CLICK = 4; // pixels that a press may wander and still be a click
const SLAB = 5; // Å: half a 1-nm slab

export class Pane {
  // crystal: {n, places, species, radius, zones, zone}; camera and look are shared by all panes.
  constructor(crystal, camera, look, on) {
    Object.assign(this, { crystal, camera, look, on, hidden: new Set(), picked: null, arrow: null, path: [] });
    this.canvas = make("canvas", { tabindex: 0, role: "img", "aria-label": "Crystal: arrow keys with Alt turn it, plus and minus zoom" });
    this.over = makeSvg("svg", { class: "over", "aria-hidden": "true" });
    this.legend = make("div", { class: "legend", role: "group", "aria-label": "Species on show" });
    this.caption = make("figcaption");
    this.element = make("figure", { class: "pane" }, this.canvas, this.over, this.legend, this.caption);
    this.counts = new Map(crystal.species.map(({ code }) => [code, 0]));
    this.#watch();
  }

  // After the element stands in the page. Throws where there is no WebGL2.
  begin() {
    this.spheres = new Spheres(this.canvas, this.crystal.places, this.crystal.species, this.crystal.radius);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    this.canvas.addEventListener("webglcontextlost", () => this.element.isConnected && this.on.lost());
  }

  get codes() {
    return this.spheres.codes;
  }

  // All occupants anew, or those of some sites.
  take(changed) {
    if (changed.all) this.codes.set(changed.all);
    else changed.sites.forEach((site, k) => (this.codes[site] = changed.codes[k]));
    this.spheres.changed(changed.all ? null : changed.sites);
    this.rearranged = true;
  }

  // Numbers of each species, by code.
  count(numbers) {
    for (const [code, n] of numbers) this.counts.set(code, n);
    for (const [code, cell] of this.countCells ?? []) cell.textContent = count(this.counts.get(code) ?? 0);
  }

  // tones: {kind: "species"} | {kind: "zone"} | {kind, values, low, high, unit, words}
  colourBy(tones) {
    this.tones = tones;
    const { zone, zones } = this.crystal;
    if (tones.kind === "zone") this.spheres.toneBy(zone, Array.from({ length: 256 }, (_, k) => rgbOf(kindColour(k % zones.length))));
    else this.spheres.toneBy(tones.values ?? null, amountPalette());
    this.#key();
    this.rearranged = true;
  }

  #key() {
    const rows = this.crystal.species.filter(({ code, always }) => always || this.counts.get(code)).map(({ code, symbol, label, colour }) => {
      const box = make("input", { type: "checkbox", onchange: () => this.toggle(code, box.checked), "aria-label": `show ${symbol}` });
      box.checked = !this.hidden.has(code);
      const cell = make("span", { class: "count" }, count(this.counts.get(code) ?? 0));
      const dot = make("span", { class: code === VACANCY ? "dot ring" : "dot", style: code === VACANCY ? {} : { background: this.tones.kind === "species" ? colour : "transparent" } });
      return [code, cell, make("label", {}, box, dot, label, cell)];
    });
    this.countCells = rows.map(([code, cell]) => [code, cell]);
    fill(this.legend, ...rows.map((row) => row[2]), this.#scaleOfTones());
  }

  #scaleOfTones() {
    const tones = this.tones;
    if (tones.kind === "species") return null;
    if (tones.kind === "zone") return make("div", {}, ...this.crystal.zones.map((name, k) => make("div", { class: "zone" }, make("span", { class: "dot", style: { background: kindColour(k) } }), ` ${name}`)));
    const ramp = make("span", { class: "ramp", style: { background: `linear-gradient(90deg, ${amountColours().join(",")})` } });
    const none = tones.some ? null : make("div", { class: "ramp-ends" }, make("span", {}, make("span", { class: "dot", style: { background: unknownColour() } }), ` ${tones.absent}`));
    return make("div", { title: tones.words }, ramp, make("div", { class: "ramp-ends" }, make("span", {}, tones.low), make("span", {}, tones.unit), make("span", {}, tones.high)), none);
  }

  toggle(code, visible) {
    if (visible) this.hidden.delete(code);
    else this.hidden.add(code);
    this.arrangedFor = null; // also when nothing is hidden any more
    this.draw();
  }

  // Draw at the next frame; however often it is asked for, once.
  draw() {
    if (this.waiting || !this.spheres) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      if (this.element.isConnected) this.#drawNow(); // it may have left the stage meanwhile
    });
  }

  #shown() {
    const { axis, at, slab } = this.look, { places } = this.crystal, { codes } = this, hidden = this.hidden;
    const seen = (k) => !(hidden.size && hidden.has(codes[k]));
    if (axis === null) return seen;
    const [x, y, z] = this.camera.axes[axis], sign = this.camera.turn[2][0] * x + this.camera.turn[2][1] * y + this.camera.turn[2][2] * z < 0 ? -1 : 1;
    return (k) => {
      const off = x * places[3 * k] + y * places[3 * k + 1] + z * places[3 * k + 2] - at;
      return (slab ? Math.abs(off) <= SLAB : sign * off <= 0) && seen(k);
    };
  }

  #drawNow() {
    const key = JSON.stringify([this.camera.turn, this.look.axis, this.look.at, this.look.slab]);
    if (this.rearranged || key !== this.arrangedFor) {
      if (this.hidden.size || key !== this.arrangedFor || !this.everArranged) this.spheres.arrange(this.camera.turn, (this.visible = this.#shown()), !this.hidden.size);
      [this.rearranged, this.arrangedFor, this.everArranged] = [false, key, true];
    }
    const paper = getComputedStyle(this.element).backgroundColor.match(/[\d.]+/g).slice(0, 3).map((x) => x / 255);
    this.spheres.draw(this.camera, paper, this.look.xray && this.visible);
    this.#drawOver();
    this.on.drawn?.();
  }

  #pixel(site, width, height) {
    const p = this.crystal.places;
    return this.camera.project([p[3 * site], p[3 * site + 1], p[3 * site + 2]], width, height);
  }

  #drawOver() {
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight], scale = this.camera.scale(width, height);
    const parts = [...this.#axes(width), ...this.#bar(width, height, scale)];
    const ring = (site, radius, name) => {
      const [cx, cy] = this.#pixel(site, width, height);
      return makeSvg("circle", { cx, cy, r: Math.max(7, radius * scale), class: name });
    };
    if (this.path.length > 1) parts.push(makeSvg("polyline", { class: "path", points: this.path.map((site) => this.#pixel(site, width, height).slice(0, 2).join()).join(" ") }));
    if (this.picked !== null) parts.push(ring(this.picked, 2, "halo"), ring(this.picked, 2, "picked"));
    if (this.arrow) parts.push(...this.#arrow(width, height, ring));
    fill(this.over, ...parts);
  }

  #arrow(width, height, ring) {
    const { from, to } = this.arrow;
    if (from === to) return [ring(to, 2.6, "halo"), ring(to, 2.6, "arrow")];
    const [a, b] = [this.#pixel(from, width, height), this.#pixel(to, width, height)];
    const long = Math.hypot(b[0] - a[0], b[1] - a[1]);
    if (long < 6) return [ring(to, 2.6, "halo"), ring(to, 2.6, "arrow")]; // it points at the eye
    const [ux, uy] = [(b[0] - a[0]) / long, (b[1] - a[1]) / long], neck = [b[0] - 9 * ux, b[1] - 9 * uy];
    const line = { x1: a[0], y1: a[1], x2: neck[0], y2: neck[1] };
    const head = `${b[0]},${b[1]} ${neck[0] - 5 * uy},${neck[1] + 5 * ux} ${neck[0] + 5 * uy},${neck[1] - 5 * ux}`;
    return [makeSvg("line", { ...line, class: "halo" }), makeSvg("line", { ...line, class: "arrow" }), makeSvg("polygon", { points: head, class: "arrow-head" }), ring(to, 2.2, "arrow")];
  }

  #axes(width) {
    const [cx, cy, long] = [width - 52, 58, 30];
    return this.camera.axes.flatMap((axis, k) => {
      const [x, y, z] = this.camera.turn.map((row) => row[0] * axis[0] + row[1] * axis[1] + row[2] * axis[2]);
      const end = [cx + long * x, cy - long * y], colour = ["#C0392B", "#2E8B57", "#3366CC"][k];
      if (Math.hypot(x, y) < 0.15) return [makeSvg("circle", { cx, cy, r: 4, fill: z > 0 ? colour : "none", stroke: colour }), makeSvg("text", { x: cx - 18, y: cy + 14 }, this.camera.names[k])];
      return [makeSvg("line", { x1: cx, y1: cy, x2: end[0], y2: end[1], stroke: colour, "stroke-width": 2 }), makeSvg("text", { x: cx + 1.35 * long * x - 4, y: cy - 1.35 * long * y + 4 }, this.camera.names[k])];
    });
  }

  #bar(width, height, scale) {
    const long = [0.5, 1, 2, 5, 10, 20, 50].findLast((nm) => nm * 10 * scale <= 0.2 * Math.min(width, height)) ?? 0.2, pixels = long * 10 * scale;
    return [makeSvg("line", { class: "scale", x1: width - 16 - pixels, x2: width - 16, y1: height - 14, y2: height - 14 }), makeSvg("text", { x: width - 16 - pixels / 2, y: height - 20, "text-anchor": "middle" }, `${long} nm`)];
  }

  // The site in front at a pixel, or null.
  siteAt(x, y) {
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight], scale = this.camera.scale(width, height);
    const radius = new Map(this.crystal.species.map((one) => [one.code, one.radius]));
    let best = null, front = -Infinity;
    for (let k = 0; k < this.crystal.n; k++) {
      if (!this.visible(k)) continue;
      const [px, py, depth] = this.#pixel(k, width, height), r = Math.max(4, (radius.get(this.codes[k]) ?? 1) * scale);
      const through = this.look.xray && this.codes[k] === VACANCY ? 1e6 : 0;
      if ((px - x) ** 2 + (py - y) ** 2 <= r * r && depth + through > front) [best, front] = [k, depth + through];
    }
    return best;
  }

  #watch() {
    const held = new Map(); // pointers that are down
    let far = 0, apart = 0;
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      held.set(event.pointerId, [event.offsetX, event.offsetY]);
      if (held.size === 1) far = 0;
      apart = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = held.get(event.pointerId);
      if (!before) return;
      const [dx, dy] = [event.offsetX - before[0], event.offsetY - before[1]];
      far += Math.abs(dx) + Math.abs(dy);
      held.set(event.pointerId, [event.offsetX, event.offsetY]);
      if (held.size === 2) {
        const [a, b] = [...held.values()], now = Math.hypot(a[0] - b[0], a[1] - b[1]);
        if (apart) this.zoom(now / apart);
        apart = now;
      } else if (far > CLICK) {
        if (event.shiftKey) this.camera.shift = [this.camera.shift[0] + dx, this.camera.shift[1] + dy];
        else this.camera.rotate(dx / 150, dy / 150);
        this.on.moved();
      }
    });
    canvas.addEventListener("pointerup", (event) => {
      held.delete(event.pointerId);
      if (far <= CLICK && held.size === 0) this.on.picked(this.siteAt(event.offsetX, event.offsetY));
    });
    canvas.addEventListener("pointercancel", (event) => held.delete(event.pointerId));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 600));
    }, { passive: false });
  }

  zoom(factor) {
    this.camera.zoom = Math.min(40, Math.max(0.3, this.camera.zoom * factor));
    this.on.moved();
  }
}
