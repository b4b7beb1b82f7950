// The source of a recording: every event of a run, told forwards and backwards without an engine.

import { bytesOf } from "./numbers.js";
import { VACANCY } from "./colours.js";
import { crystalOf } from "./crystal.js";

const AT_ONCE = 400; // points of a curve
const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i1: Int8Array, f4: Float32Array, f8: Float64Array };

// The bytes of a tape: length of the text, the text (JSON), the arrays one behind the other.
export async function unrolled(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  const length = new DataView(bytes).getUint32(0, true), about = JSON.parse(new TextDecoder().decode(bytes.slice(4, 4 + length)));
  let at = 4 + length;
  const arrays = {};
  for (const [name, type, n] of about.arrays) {
    const size = n * TYPES[type].BYTES_PER_ELEMENT;
    arrays[name] = new TYPES[type](bytes.slice(at, (at += size)));
  }
  return new Tape(about, arrays);
}

export class Tape {
  colours = [["species", "species"], ["zone", "zone"], ["age", "age"], ["visits", "visits"]];

  constructor(about, arrays) {
    Object.assign(this, { about, ...arrays, n: arrays.site.length, now: 0, selected: null });
    this.crystal = crystalOf({ ...about.crystal, arrays: { cells: new Uint8Array(arrays.cells.buffer), basis_of: arrays.basis_of, zone: arrays.zone, layer: arrays.layer } });
    this.symbols = new Map(about.crystal.species.map((one) => [one.code, one.symbol]));
    this.codes = arrays.start.slice();
    this.slots = Uint32Array.from(this.codes, (_, site) => site);
    this.#tellAll();
    this.abilities = { live: false, about: about.about, kinds: [["dock", "docking or another change at the surface"], ["metal", "move of a rare-earth ion"], ["its", "event of the selected agent"], ["any", "event"]] };
  }

  // Who moved in each event, and the numbers after it: once through all of them.
  #tellAll() {
    const { n } = this;
    Object.assign(this, { time: new Float64Array(n + 1), vacancies: new Uint32Array(n + 1), outsiders: new Float64Array(n + 1), ions: new Uint32Array(n), holes: new Uint32Array(n), movers: new Uint8Array(n) });
    this.time[0] = this.about.begin.t_s;
    this.vacancies[0] = this.codes.reduce((sum, code) => sum + (code === VACANCY), 0);
    this.outsiders[0] = this.about.begin.outside;
    for (let k = 0; k < n; k++) {
      const [site, to, change] = [this.site[k], this.to[k], this.about.channels[this.channel[k]]];
      this.ions[k] = this.slots[to];
      this.holes[k] = this.slots[site];
      this.movers[k] = change.hop ? this.codes[to] : change.ion;
      this.time[k + 1] = this.time[k] + this.wait[k];
      this.vacancies[k + 1] = this.vacancies[k] + (change.hop ? 0 : (change.makes === VACANCY) - (change.takes === VACANCY));
      this.outsiders[k + 1] = this.outsiders[k] + this.outside[k];
      this.#swap(k, true);
    }
    while (this.now > 0) this.#swap(this.now - 1, false);
  }

  #swap(k, forwards) {
    const [site, to, change] = [this.site[k], this.to[k], this.about.channels[this.channel[k]]];
    if (change.hop) {
      [this.codes[site], this.codes[to]] = [this.codes[to], this.codes[site]];
      [this.slots[site], this.slots[to]] = [this.slots[to], this.slots[site]];
    } else this.codes[site] = forwards ? change.makes : change.takes;
    this.now = forwards ? k + 1 : k;
  }

  async do(command, given = {}) {
    const begun = performance.now(), answer = this[`_${command}`]?.(given) ?? this.#answer([]);
    this.took = { milliseconds: performance.now() - begun, bytes: 0 };
    return answer;
  }

  _open() {
    const { title, version, badge, digest } = this.about;
    return { ...this.#answer(null), crystal: this.crystal, title, version, badge, digest, colours: this.colours };
  }

  _step({ n, steps, seconds }) {
    if (steps !== undefined) return this._goto({ time: this.#timeOf(this.#stepsAt(this.#moment()) + steps) });
    if (seconds !== undefined) return this._goto({ time: this.#moment() + seconds });
    return this.#to(this.now + n);
  }

  _back({ n }) {
    return this.#to(this.now - n);
  }

  _goto({ event, time }) {
    if (time === undefined) return this.#to(event - this.about.begin.event);
    let [low, high] = [0, this.n];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.time[middle] <= time) low = middle;
      else high = middle - 1;
    }
    return this.#to(low);
  }

  _until({ what }) {
    const slot = this.selected;
    const hit = { dock: (k) => this.channel[k] > 0, metal: (k) => this.about.metals.includes(this.movers[k]), its: (k) => this.ions[k] === slot || this.holes[k] === slot, any: () => true }[what];
    for (let k = this.now; k < this.n; k++) if (hit(k)) return this.#to(k + 1);
    return { ...this.#answer([]), stopped: what === "its" && slot === null ? "Select an ion or a vacancy first." : "There is none after this moment." };
  }

  _select({ site }) {
    this.selected = site === null ? null : this.slots[site];
    return this.#answer([]);
  }

  _timeline() {
    const few = Math.min(this.n, AT_ONCE), curve = { event: [], t: [], vacancies: [], outside: [] };
    for (let j = 0; j <= few; j++) {
      const k = few ? Math.round((j * this.n) / few) : 0;
      curve.event.push(k + this.about.begin.event);
      curve.t.push(this.time[k]);
      curve.vacancies.push(this.vacancies[k]);
      curve.outside.push(this.#share(k) ?? 0);
    }
    return { curves: [curve], hits: [], parting: null };
  }

  _colour({ kind }) {
    if (kind === "species" || kind === "zone") return { kind };
    const values = new Uint8Array(this.codes.length).fill(255), amount = new Float64Array(this.codes.length);
    if (kind === "visits") for (let k = 0; k < this.now; k++) for (const site of new Set([this.site[k], this.to[k]])) amount[site]++;
    if (kind === "age") {
      const born = new Float64Array(this.codes.length);
      for (let k = 0; k < this.now; k++) if (this.channel[k] > 0) born[this.ions[k]] = this.time[k + 1];
      this.slots.forEach((slot, site) => (amount[site] = this.time[this.now] - born[slot]));
    }
    const most = amount.reduce((a, b) => Math.max(a, b), 0), scale = kind === "visits" ? (x) => Math.log1p((99 * x) / most) / Math.log(100) : (x) => x / most;
    if (most) amount.forEach((x, site) => (values[site] = Math.round(254 * scale(x))));
    return { kind, values, low: "0", high: `${Number(most.toPrecision(3))}`, unit: kind === "visits" ? "visits" : "s", words: "", some: true };
  }

  #to(wanted) {
    const target = Math.max(0, Math.min(this.n, Math.round(wanted))), touched = new Set();
    while (this.now !== target) {
      const k = this.now < target ? this.now : this.now - 1;
      this.#swap(k, this.now < target);
      touched.add(this.site[k]).add(this.to[k]);
    }
    return { ...this.#answer([...touched]), stopped: wanted > this.n ? "The recording ends here." : wanted < 0 ? "The recording begins here." : null };
  }

  #moment() {
    return this.time[this.now];
  }

  #share(k) {
    return this.about.core ? (100 * this.outsiders[k]) / this.about.core : null;
  }

  // Steps pass evenly between knots.
  #stepsAt(t) {
    const knots = this.about.knots, k = Math.max(1, knots.findIndex(([end]) => end >= t)), [[a, x], [b, y]] = [knots[k - 1], knots[k] ?? knots[k - 1]];
    return b > a ? x + ((t - a) / (b - a)) * (y - x) : y;
  }

  #timeOf(steps) {
    const knots = this.about.knots, k = knots.findIndex(([, end]) => end >= steps);
    if (k < 1) return k < 0 ? Infinity : knots[0][0];
    const [[a, x], [b, y]] = [knots[k - 1], knots[k]];
    return y > x ? a + ((steps - x) / (y - x)) * (b - a) : b;
  }

  #told(k) {
    const change = this.about.channels[this.channel[k]];
    return { number: this.about.begin.event + k + 1, verb: change.verb, species: this.symbols.get(this.movers[k]), site: this.site[k], to: this.to[k], time: this.time[k + 1] };
  }

  #answer(touched) {
    const last = this.now ? this.#told(this.now - 1) : null, begin = this.about.begin.event, counts = new Map();
    for (const code of this.codes) counts.set(code, (counts.get(code) ?? 0) + 1);
    const changed = touched === null || touched.length > 400 ? { all: this.codes } : { sites: touched, codes: touched.map((site) => this.codes[site]) };
    const pane = { line: 0, name: this.about.name, first: begin, event: begin + this.now, known: begin + this.n, time: this.#moment(), steps: this.#stepsAt(this.#moment()), temperature: null, vacancies: this.vacancies[this.now], outside: this.#share(this.now), digest: null, counts: [...counts], changed, last };
    return { panes: [pane], inspector: this.#inspector() };
  }

  #inspector() {
    if (this.selected === null) return null;
    const slot = this.selected, site = this.slots.indexOf(slot), { places, zones, zone, layers, layer } = this.crystal;
    const moves = [], path = [];
    let born = null;
    for (let k = 0; k < this.now; k++) {
      if (this.ions[k] !== slot && this.holes[k] !== slot) continue;
      moves.push(k);
      if (this.channel[k] > 0) born = k;
    }
    let here = site;
    path.push(here);
    for (const k of moves.slice(-200).reverse()) path.push((here = here === this.site[k] ? this.to[k] : this.site[k]));
    const began = path[path.length - 1], far = [0, 1, 2].map((x) => places[3 * site + x] - places[3 * began + x]);
    return {
      slot, site, species: this.symbols.get(this.codes[site]), zone: zones[zone[site]], layer: layers[layer[site]], r: Math.hypot(places[3 * site], places[3 * site + 1], places[3 * site + 2]),
      origin: born === null ? layers[layer[slot]] : "a change at the surface", age: this.#moment() - (born === null ? 0 : this.time[born + 1]), moved: Math.hypot(...far), path, of_history: moves.length,
      history: moves.slice(-12).map((k) => { const e = this.#told(k); return [e.number, `${e.verb} ${e.species}, site ${e.to}${e.site === e.to ? "" : ` → ${e.site}`}`]; }),
    };
  }
}
