// The page: one source, one or two panes, and what the keys and buttons do.

import { find, make, fill } from "./dom.js";
import { count, rate, seconds } from "./numbers.js";
import { Camera } from "./camera.js";
import { crystalOf } from "./crystal.js";
import { Live } from "./live.js";
import { Pane } from "./pane.js";
import { Panels } from "./panels.js";
import { Player } from "./player.js";
import { unrolled } from "./tape.js";
import { Timeline } from "./timeline.js";

const QUIET = 150; // ms without a step before curves and colours are asked for

// What went wrong, as the reader is told it: a request that found nobody is a TypeError of `fetch`.
const spoken = (error) => (error instanceof TypeError ? `The engine does not answer: is the program still running? (${error.message})` : error.message);

class App {
  constructor(source) {
    this.source = source;
    this.look = { axis: 1, at: 0, slab: true, xray: false };
    this.panes = [];
    this.colour = "species";
  }

  async begin() {
    const opened = await this.source.do("open");
    this.crystal = opened.crystal.places ? opened.crystal : crystalOf(opened.crystal);
    this.species = new Map(this.crystal.species.map((one) => [one.symbol, one.colour]));
    this.camera = new Camera(this.crystal.cell, this.crystal.radius);
    find("badge").textContent = opened.badge;
    find("title").textContent = opened.title;
    document.title = `${opened.badge} · ${opened.title}`;
    fill(find("colour"), ...this.source.colours.map(([value, text]) => make("option", { value }, text)));
    const reach = Math.ceil(10 * this.crystal.radius);
    Object.assign(find("slice"), { min: -reach, max: reach });
    this.timeline = new Timeline(find("timeline"), (event) => this.scrub(event));
    this.player = new Player((n) => this.ask("step", { n }), () => (this.stopAsked = true), () => this.settle());
    this.panels = new Panels(find("panels"), this.#asked(), this.source.abilities);
    find("until").hidden = find("why-last").hidden = !this.source.abilities.live;
    this.#watch();
    this.show(opened);
    await this.curves();
  }

  // What the panels may ask for.
  #asked() {
    const say = (promise) => promise.then(() => null, (error) => error.message);
    return {
      filter: (which) => this.ask("filter", which),
      why: (key, arrow) => this.why(key, arrow),
      goto: (where) => this.ask("goto", where),
      its: () => this.ask("until", { what: "its" }),
      until: (what) => this.ask("until", { what }),
      select: (site) => this.ask("select", { site }),
      addBreakpoint: (text) => say(this.ask("breakpoint", { add: text }, true)),
      breakpoint: (change) => this.ask("breakpoint", change),
      show: (which) => this.ask("show", which),
      reload: () => this.ask("reload"),
      branch: (how) => this.ask("branch", how),
      beside: (mechanism) => this.ask("beside", { mechanism }),
      opened: (name) => name === "draw" && this.draws(),
    };
  }

  // One command after the other; an error is shown, or thrown if its sender shows it.
  async ask(command, given = {}, throws = false) {
    const turn = (this.turn ?? Promise.resolve()).then(() => this.#asks(command, given, throws));
    this.turn = turn.catch(() => null);
    return turn;
  }

  async #asks(command, given, throws) {
    this.stopAsked = false;
    find("status").className = "status busy";
    try {
      let answer = await this.source.do(command, given);
      while (answer.go_on && !this.stopAsked) {
        this.show(answer);
        answer = await this.source.do(...answer.go_on);
      }
      this.fail(null);
      this.show(answer);
      return answer;
    } catch (error) {
      if (throws) throw error;
      this.fail(spoken(error));
      return null;
    } finally {
      find("status").className = find("failure").hidden ? "status" : "status lost";
      find("status").textContent = find("failure").hidden ? "ready" : "failed";
    }
  }

  fail(text) {
    const box = find("failure");
    box.hidden = text === null;
    if (text !== null) fill(box, make("button", { type: "button", onclick: () => this.fail(null) }, "Close"), text);
  }

  // --- what is seen ---

  show(answer) {
    if (!answer.panes) return;
    this.answer = answer;
    this.#seats(answer.panes.length);
    answer.panes.forEach((pane, k) => this.#showPane(this.panes[k], pane, answer));
    const [pane] = answer.panes;
    this.#facts(pane, answer);
    this.timeline.stand(pane);
    if (answer.inspector !== undefined) this.#inspector(answer.inspector, `${pane.line} ${pane.event} ${pane.time}`);
    if (pane.channels) this.panels.events(pane, this.species);
    if (answer.breakpoints) this.panels.breakpoints(answer.breakpoints, answer.words);
    if (answer.lines) this.panels.lines(answer);
    this.#say(pane, answer);
    const { milliseconds, bytes } = this.source.took;
    find("took").textContent = `${milliseconds.toFixed(0)} ms${bytes ? ` · ${(bytes / 1000).toFixed(1)} kB` : ""}`;
    clearTimeout(this.later);
    this.later = setTimeout(() => this.settle(), QUIET);
    if (this.panels.opened === "draw") this.draws();
  }

  // So many panes stand on the stage.
  #seats(n) {
    while (this.panes.length > n) this.panes.pop().element.remove();
    while (this.panes.length < n) {
      const pane = new Pane(this.crystal, this.camera, this.look, { moved: () => this.draw(), lost: () => this.fail("The browser has lost its graphics; load the page again, and it goes on where it is."), picked: (site) => this.ask("select", { site }) });
      find("stage").append(pane.element);
      pane.begin();
      this.panes.push(pane);
      pane.tones = { kind: this.colour === "zone" ? "zone" : "species" };
    }
  }

  #showPane(seat, pane, answer) {
    seat.take(pane.changed);
    const before = [...seat.counts.values()].filter(Boolean).length;
    seat.count(pane.counts);
    if (!seat.countCells || before !== [...seat.counts.values()].filter(Boolean).length) seat.colourBy(seat.tones);
    fill(seat.caption, make("b", {}, pane.name), answer.panes.length > 1 ? ` · event ${count(pane.event)} · ${count(pane.vacancies)} vacancies` : "");
    seat.arrow = pane.last && { from: pane.last.to, to: pane.last.site };
    seat.draw();
  }

  #inspector(who, moment) {
    this.panels.inspect(who, moment);
    this.panes.forEach((seat, k) => Object.assign(seat, { picked: k || !who ? null : who.site, path: k || !who ? [] : who.path }));
    if (who && who.slot !== this.selected) this.panels.open("inspector");
    this.selected = who?.slot;
  }

  #facts(pane, answer) {
    const digest = pane.digest ?? answer.digest;
    const facts = [["event", count(pane.event)], ["step", pane.steps.toFixed(pane.steps < 100 ? 3 : 1)], ["t", seconds(pane.time)], ...(pane.temperature === null ? [] : [["T", `${(pane.temperature - 273.15).toFixed(0)} °C`]]), ["vacancies", count(pane.vacancies)], ...(pane.outside === null ? [] : [["out of core", `${pane.outside.toFixed(2)} %`]])];
    const shown = facts.map(([name, value]) => make("div", { id: `fact-${name.replaceAll(" ", "-")}` }, make("dt", {}, name), make("dd", {}, value)));
    if (pane.digest) shown.push(make("div", { title: `SHA-256 of the state: ${digest}` }, make("dt", {}, "state"), make("dd", { id: "digest", "data-digest": digest }, digest.slice(0, 8))));
    fill(find("facts"), ...shown);
  }

  #say(pane, answer) {
    const last = pane.last, where = last && (last.site === last.to ? `at site ${last.site}` : `from site ${last.to} to ${last.site}`);
    const told = last ? `#${last.number}: ${last.verb} ${last.species} ${where} after ${seconds(last.time)}${last.rate ? `, ${rate(last.rate)} /s, p = ${last.probability.toPrecision(2)}, ${last.rule}` : ""}` : "At the start: nothing has happened yet.";
    find("saying").textContent = [answer.stopped, told].filter(Boolean).join(" · ");
    find("saying").title = find("saying").textContent;
  }

  draw() {
    for (const pane of this.panes) pane.draw();
  }

  async curves() {
    this.timeline.take(await this.source.do("timeline"));
  }

  // After the last of several quick steps: what costs an answer of its own.
  async settle() {
    const failed = await this.curves().catch((error) => spoken(error));
    if (failed) return this.fail(failed);
    if (!this.player.playing && !["species", "zone"].includes(this.colour)) await this.recolour();
  }

  async draws() {
    if (!this.source.abilities.live) return;
    const answer = await this.source.do("draws").catch((error) => this.fail(spoken(error)));
    if (answer) this.panels.draws(answer.told);
  }

  async why(key, arrow) {
    const answer = await this.source.do("why", key).catch((error) => this.fail(spoken(error)));
    if (!answer) return;
    this.panels.why(answer.why);
    if (arrow) this.panes[0].arrow = arrow;
    this.panes[0].draw();
  }

  // Colours by a number need one more answer for each pane.
  async recolour() {
    try {
      for (const [k, pane] of this.panes.entries()) {
        const tones = await this.source.do("colour", { kind: this.colour, pane: k });
        pane.colourBy(tones);
        pane.draw();
      }
    } catch (error) {
      this.fail(spoken(error));
      find("colour").value = this.colour = "species";
      for (const pane of this.panes) pane.colourBy({ kind: "species" });
      this.draw();
    }
  }

  // --- what the user does ---

  scrub(event) {
    this.wanted = event;
    if (this.scrubbing) return;
    this.scrubbing = (async () => {
      while (this.wanted !== null) {
        const target = this.wanted;
        this.wanted = null;
        await this.ask("goto", { event: target });
      }
      this.scrubbing = null;
    })();
  }

  run() {
    const unit = find("unit").value, text = find("amount").value.trim().replaceAll(/[ _\u202f]/g, ""), amount = Number(text);
    if (text === "" || !Number.isFinite(amount) || amount < 0) return this.fail(`Run: expected a number of at least 0, got '${find("amount").value}'`);
    if (["n", "event"].includes(unit) && !Number.isInteger(amount)) return this.fail(`Run: events are whole numbers, got '${find("amount").value}'`);
    return unit === "event" || unit === "time" ? this.ask("goto", { [unit]: amount }) : this.ask("step", { [unit]: amount });
  }

  #watch() {
    const on = (id, kind, act) => find(id).addEventListener(kind, act);
    on("step", "click", () => this.ask("step", { n: 1 }));
    on("back", "click", () => this.ask("back", { n: 1 }));
    on("start", "click", () => this.ask("goto", { event: this.answer.panes[0].first }));
        on("until", "click", () => this.ask("until", { what: "breakpoint" }));
    on("why-last", "click", () => this.why({ last: true }));
    on("run", "submit", (event) => { event.preventDefault(); this.run(); });
    on("look", "submit", (event) => event.preventDefault());
    on("colour", "change", () => { this.colour = find("colour").value; this.recolour(); });
    on("axis", "change", () => this.slice());
    on("slice", "input", () => this.slice());
    on("slab", "change", () => this.slice());
    on("xray", "change", () => { this.look.xray = find("xray").checked; this.draw(); });
    for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => this.view(Number(button.dataset.view)));
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("focus", () => this.source.abilities.live && !this.player.playing && this.ask("look", { full: true }));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  slice() {
    const axis = find("axis").value;
    Object.assign(this.look, { axis: axis === "" ? null : Number(axis), at: Number(find("slice").value) / 10, slab: find("slab").checked });
    find("slice-at").textContent = `${(this.look.at / 10).toFixed(2)} nm`;
    find("slice").disabled = find("slab").disabled = axis === "";
    this.draw();
  }

  view(which) {
    this.camera.along(which);
    this.draw();
  }

  key(event) {
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
    if (typing || event.ctrlKey || event.metaKey) return;
    const turning = event.altKey && { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    const acts = {
      ArrowRight: () => this.ask("step", { n: event.shiftKey ? 100 : 1 }), ArrowLeft: () => this.ask("back", { n: event.shiftKey ? Math.min(100, this.answer.panes[0].event - this.answer.panes[0].first) : 1 }),
      Home: () => this.ask("goto", { event: this.answer.panes[0].first }), End: () => this.ask("goto", { event: this.answer.panes[0].known }),
      b: () => this.source.abilities.live && this.ask("until", { what: "breakpoint" }), n: () => this.ask("until", { what: "its" }), r: () => this.source.abilities.live && this.ask("reload"),
      w: () => this.source.abilities.live && this.why({ last: true }), x: () => find("xray").click(), "+": () => this.panes[0].zoom(1.2), "-": () => this.panes[0].zoom(1 / 1.2),
      " ": () => this.player.play(), Escape: () => this.player.stop(), 1: () => this.view(0), 2: () => this.view(1), 3: () => this.view(2), 4: () => this.view(3),
    };
    if (event.key === " " && event.target.closest("button, a, summary, [tabindex='0']:not(canvas)")) return;
    if (turning) {
      this.camera.rotate(...turning);
      this.draw();
    } else if (acts[event.key] && !event.altKey) acts[event.key]();
    else return;
    event.preventDefault();
  }
}

// A page that cannot draw still says why, and what would help.
function giveUp(error) {
  const known = /WebGL2/.test(error.message);
  find("failure").hidden = false;
  find("failure").textContent = known ? `The crystal cannot be drawn: ${error.message}. Use a current Firefox, Chrome, Edge or Safari, and switch hardware acceleration or software WebGL on. Text and numbers still work on the command line: ucnp-abm run, diff, export.` : `The page could not start: ${error.message}`;
  find("status").className = "status lost";
  find("status").textContent = "failed";
  document.body.classList.add("broken");
}

const recorded = find("tape");
if (!recorded && location.search) history.replaceState(null, "", location.pathname); // the token in the link is spent
const app = new App(recorded ? await unrolled(recorded.textContent.trim()) : new Live());
window.ucnp = app;
await app.begin().catch(giveUp);
document.body.dataset.ready = "yes";
