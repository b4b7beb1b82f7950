// The panels at the side: what could happen next, who is selected, why, breakpoints, lines, and how an event was drawn.

import { make, fill, pairs, chosenBy } from "./dom.js";
import { count, nanometres, percent, rate, seconds } from "./numbers.js";

const labelOf = (verb, species) => `${verb} ${species}`;
const shortly = (rule) => rule.replace(/^.*, (.*) line (\d+)$/, "$1:$2");
const way = (site, to) => (site === to ? `${site}` : `${to} → ${site}`);

export class Panels {
  // on: what the panels ask for; abilities: what the source can do.
  constructor(element, on, abilities) {
    Object.assign(this, { element, on, abilities });
    this.bodies = {};
    const names = abilities.live ? ["events", "inspector", "breakpoints", "lines", "draw"] : ["inspector", "next"];
    this.titles = { events: "Events", inspector: "Inspector", breakpoints: "Breakpoints", lines: "Lines", draw: "Draw", next: "Find" };
    for (const name of names) this.bodies[name] = make("div", { class: "panel", id: `panel-${name}`, role: "tabpanel", tabindex: -1 });
    this.names = names;
    this.top = make("section", { class: "top", "aria-label": "Next events" });
    this.tabs = make("div", { class: "tabs", role: "tablist", "aria-label": "Panels" });
    this.bottom = make("section", { class: "bottom" }, this.tabs);
    element.append(this.top, this.bottom);
    const narrow = matchMedia("(max-width: 1279px), (max-height: 779px)");
    narrow.addEventListener("change", () => this.#lay(narrow.matches));
    this.#lay(narrow.matches || !abilities.live);
    for (const name of names) fill(this.bodies[name], make("p", { class: "hint" }, "…"));
    if (abilities.live) this.#breakpointForm();
    else this.#finder();
    this.inspect(null);
  }

  // In a small window all panels are tabs; in a large one the events stand above the others.
  #lay(narrow) {
    document.body.classList.toggle("narrow", narrow);
    const above = narrow ? [] : ["events"];
    fill(this.top, ...above.map((name) => this.bodies[name]));
    if (!narrow) this.bodies.events.classList.remove("tabbed");
    this.tabbed = this.names.filter((name) => !above.includes(name));
    fill(this.tabs, ...this.tabbed.map((name) => make("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => this.open(name), onkeydown: (event) => this.#along(event, name) }, this.titles[name])));
    this.open(this.tabbed.includes(this.opened) ? this.opened : this.tabbed[0]);
  }

  #along(event, name) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const next = this.tabbed[(this.tabbed.indexOf(name) + step + this.tabbed.length) % this.tabbed.length];
    this.open(next);
    document.getElementById(`tab-${next}`).focus();
  }

  open(name) {
    if (!this.tabbed.includes(name)) return;
    this.opened = name;
    for (const tab of this.tabs.children) {
      const mine = tab.id === `tab-${name}`;
      tab.setAttribute("aria-selected", mine);
      tab.tabIndex = mine ? 0 : -1;
    }
    this.bottom.querySelectorAll(".panel").forEach((body) => body.remove());
    this.bodies[name].classList.add("tabbed");
    this.bottom.append(this.bodies[name]);
    this.on.opened?.(name);
  }

  // --- what could happen ---

  events(pane, colours) {
    const { table } = pane;
    const bars = pane.channels.map(([verb, species, share, n]) => {
      const label = labelOf(verb, species), bar = make("span", { class: "share", style: { width: `${100 * share}%`, background: colours.get(species) ?? "var(--ink)" } });
      return make("button", { type: "button", class: "channel", title: `Only ${label} in the table`, onclick: () => this.on.filter({ verb, species }) }, make("span", {}, label), make("span", { class: "track" }, bar), make("span", { class: "say" }, `${percent(share)} · ${count(n)}`));
    });
    const select = make("select", { id: "table-filter", "aria-label": "Which events", onchange: () => this.on.filter(select.value ? Object.fromEntries(["verb", "species"].map((key, k) => [key, select.value.split(" ")[k]])) : { verb: null, species: null }) }, make("option", { value: "" }, "all events"), ...pane.channels.map(([verb, species]) => make("option", { value: labelOf(verb, species) }, labelOf(verb, species))));
    select.value = table.verb ? labelOf(table.verb, table.species) : "";
    const near = make("input", { type: "checkbox", onchange: () => this.on.filter({ near: near.checked }) });
    near.checked = table.near;
    const warning = pane.warning && make("div", { class: "warning" }, pane.warning.text, " ", pane.warning.condition ? make("button", { class: "link", type: "button", onclick: () => this.on.addBreakpoint(pane.warning.condition) }, `break at ${pane.warning.condition}`) : null);
    const rows = table.rows.map(([verb, species, site, to, speed, chance, rule, channel, direction]) => {
      const key = { channel, site, direction }, mine = JSON.stringify(key) === this.chosen;
      return chosenBy(() => this.#choose(key, site, to), { class: mine ? "picked" : "", "data-key": JSON.stringify(key) }, ...[labelOf(verb, species), way(site, to), rate(speed), chance.toPrecision(2)].map((text, k) => make("td", { class: k ? "number" : "" }, text)), make("td", { class: "rest", title: table.rules[rule] }, shortly(table.rules[rule])));
    });
    const total = `${count(pane.candidates)} events · ${rate(pane.total)} /s`;
    fill(this.bodies.events, make("h2", {}, "What could happen next "), make("span", { class: "hint", title: pane.total > 0 ? `one in ${seconds(1 / pane.total)}` : "" }, total), ...bars, warning,
      make("div", { class: "row" }, select, make("label", {}, near, " near selection"), make("span", { class: "hint" }, `${table.rows.length} of ${count(table.of)}, fastest first`)),
      make("table", {}, make("thead", {}, make("tr", {}, ...["event", "site", "rate / s⁻¹", "p", "rule"].map((name) => make("th", {}, name)))), make("tbody", {}, ...rows)),
      pane.total > 0 ? null : make("p", { class: "hint" }, "Nothing can happen any more."));
  }

  #choose(key, site, to) {
    this.chosen = JSON.stringify(key);
    for (const row of this.bodies.events.querySelectorAll("tbody tr")) row.classList.toggle("picked", row.dataset.key === this.chosen);
    this.on.why(key, { from: to, to: site });
  }

  // --- who is selected, and why ---

  inspect(who, moment) {
    if (moment !== this.moment) this.reason = null; // it was about another moment
    this.moment = moment;
    if (!who) return fill(this.bodies.inspector, make("h2", {}, "Inspector "), make("p", { class: "hint" }, "Click an ion or a vacancy in the crystal, or an event in a table."), (this.whyBox = make("div", { id: "why" })), this.#whyAgain());
    const options = (who.options ?? []).map((option) => chosenBy(() => this.on.why(option.key, { from: option.to, to: option.site }), {}, ...[labelOf(option.verb, option.species), way(option.site, option.to), rate(option.rate), `${option.activation.toFixed(3)} eV`].map((text, k) => make("td", { class: k ? "number" : "" }, text))));
    const history = who.history.map(([number, text]) => make("li", {}, make("button", { class: "link", type: "button", onclick: () => this.on.goto({ event: number }) }, `#${number}`), ` ${text}`)).reverse();
    fill(this.bodies.inspector,
      make("div", { class: "row" }, make("h2", {}, `${who.species} ${who.slot}`), make("button", { type: "button", id: "its-next", title: "To its next event (n)", onclick: () => this.on.its() }, "Its next event"), make("button", { type: "button", onclick: () => this.on.select(null) }, "Clear")),
      pairs([["site", `${who.site}, ${who.zone}${who.layer === who.zone ? "" : ` (${who.layer} as grown)`}, r = ${nanometres(who.r)}`], ...(who.neighbours ? [["neighbours", who.neighbours]] : []), ["came from", who.origin], ...(who.age === null ? [] : [["age", seconds(who.age)]]), ["moved", `${nanometres(who.moved)} from where it began`]]),
      (this.whyBox = make("div", { id: "why" })), this.#whyAgain(),
      options.length ? make("h3", {}, who.of_options === 1 ? "One event it could take part in" : `${who.of_options} events it could take part in`) : make("p", { class: "hint" }, who.options ? "Nothing can happen to it now: no vacancy beside it, no rule." : ""),
      options.length ? make("table", {}, make("tbody", {}, ...options)) : null,
      history.length ? make("h3", {}, `History, newest first (${count(who.of_history)} known)`) : make("p", { class: "hint" }, "It has not moved in the events that are known."),
      make("ul", { class: "list" }, ...history));
  }

  why(reason) {
    this.reason = reason;
    this.#whyAgain();
    this.open("inspector");
  }

  // The reason that was asked for stays until the moment is another one.
  #whyAgain() {
    const reason = this.reason;
    if (!reason) return null;
    const code = reason.code && [make("p", { class: "hint" }, `${reason.code.file}, line ${reason.code.line}`), make("pre", { tabindex: 0, "aria-label": "The law" }, reason.code.text)];
    fill(this.whyBox, make("fieldset", {}, make("legend", {}, reason.title), pairs(reason.rows), ...(code ?? [])));
    return null;
  }

  // --- breakpoints ---

  #breakpointForm() {
    const text = make("input", { id: "condition", class: "grow", placeholder: "event.verb == 'dock'", "aria-label": "New breakpoint", "aria-describedby": "condition-error", spellcheck: false, autocomplete: "off" });
    this.conditionError = make("p", { id: "condition-error", class: "error", role: "alert" });
    this.breakList = make("div", { id: "breaks" });
    const send = async (event) => {
      event.preventDefault();
      this.conditionError.textContent = "";
      const error = await this.on.addBreakpoint(text.value);
      text.setAttribute("aria-invalid", Boolean(error));
      if (error) this.conditionError.textContent = error;
      else text.value = "";
    };
    this.words = make("p", { class: "hint" });
    fill(this.bodies.breakpoints, make("h2", {}, "Breakpoints "), make("span", { class: "hint" }, "tested after every event"), this.breakList, make("form", { class: "row", onsubmit: send }, text, make("button", {}, "Add")), this.conditionError, this.words);
  }

  breakpoints(list, words) {
    this.words.textContent = `names: ${words.join(", ")}. Those of rates and barriers are asked event by event, slowly.`;
    fill(this.breakList, ...list.map((one) => {
      const box = make("input", { type: "checkbox", disabled: Boolean(one.automatic), "aria-label": `${one.text} on`, onchange: () => this.on.breakpoint({ number: one.id, on: box.checked }) });
      box.checked = one.on;
      return make("div", { class: one.hit ? "break hit" : "break" }, box, make("code", {}, one.text), make("span", { class: "hint" }, one.hits === 1 ? "1 hit" : `${count(one.hits)} hits`), one.automatic ? make("span", { class: "hint" }, "always") : make("button", { type: "button", "aria-label": `remove ${one.text}`, onclick: () => this.on.breakpoint({ number: one.id, remove: true }) }, "×"));
    }));
  }

  // --- lines ---

  lines(answer) {
    const [left, right] = [answer.panes[0].line, answer.panes[1]?.line];
    const known = answer.lines.map((line) => {
      const buttons = [];
      if (line.id !== left) buttons.push(make("button", { type: "button", onclick: () => this.on.show({ line: line.id }) }, "Show"));
      if (line.id !== left && line.id !== right) buttons.push(make("button", { type: "button", onclick: () => this.on.show({ beside: line.id }) }, "Beside"));
      return make("div", { class: "line" }, make("b", {}, line.name), make("span", { class: "hint" }, [line.note, line.id === left ? "on show" : line.id === right ? "beside it" : ""].filter(Boolean).join(" · ")), ...buttons);
    });
    const plugin = answer.panes[0].plugin;
    const edit = make("fieldset", {}, make("legend", {}, "Edited laws"), make("div", { class: "row" }, make("button", { type: "button", id: "reload", disabled: !plugin.files.length, onclick: () => this.on.reload() }, "Load the file again (r)"), make("span", { class: plugin.changed ? "error" : "hint" }, plugin.files.length ? `${plugin.files.join(", ")}${plugin.changed ? ": edited since it was loaded" : ""}` : "this mechanism came from no file")));
    const kept = (id) => this.bodies.lines.querySelector(`#${id}`)?.value ?? ""; // an answer takes away nothing that was typed
    const seed = make("input", { id: "branch-seed", value: kept("branch-seed"), size: 6, inputmode: "numeric", placeholder: "same", "aria-label": "Seed of the branch" });
    const mechanism = () => make("select", { "aria-label": "Mechanism" }, make("option", { value: "" }, "same mechanism"), ...answer.mechanisms.map((name) => make("option", { value: name }, name)));
    const [of, beside] = [mechanism(), mechanism()];
    [of.id, beside.id] = ["branch-mechanism", "beside-mechanism"];
    beside.firstChild.textContent = "choose a mechanism";
    [of.value, beside.value] = [kept(of.id), kept(beside.id)];
    const branch = make("form", { id: "branch", onsubmit: (event) => { event.preventDefault(); this.on.branch({ seed: seed.value.trim(), mechanism: of.value }); } }, make("fieldset", {}, make("legend", {}, "Branch from this moment"), make("div", { class: "row" }, make("label", {}, "seed ", seed), of, make("button", {}, "Branch"))));
    const side = make("form", { id: "beside", onsubmit: (event) => { event.preventDefault(); if (beside.value) this.on.beside(beside.value); } }, make("fieldset", {}, make("legend", {}, "Beside it: same crystal, same seed, from the start"), make("div", { class: "row" }, beside, make("button", {}, "Side by side"), right === undefined ? null : make("button", { type: "button", onclick: () => this.on.show({ beside: null }) }, "Alone again"))));
    const parting = answer.parting && make("div", { class: "warning" }, answer.parting.text, " ", answer.parting.event === null ? null : make("button", { class: "link", type: "button", id: "to-parting", onclick: () => this.on.goto({ event: answer.parting.event }) }, `to event ${answer.parting.event}`));
    fill(this.bodies.lines, make("h2", {}, "Lines "), make("span", { class: "hint" }, "a run, its branches, and others on the same crystal"), ...known, parting, edit, branch, side);
  }

  // --- how the last event was drawn ---

  draws(told) {
    if (!told) return fill(this.bodies.draw, make("h2", {}, "How it was drawn "), make("p", { class: "hint" }, "No event yet."));
    const rows = told.rows.map((row) => make("tr", { class: row.accepted ? "picked" : "" }, ...[`${row.candidate}`, labelOf(row.verb, row.species), way(row.site, row.to), rate(row.rate), row.bound === null ? "–" : percent(row.bound ? row.rate / row.bound : 0), row.accepted ? "yes" : "no"].map((text, k) => make("td", { class: k === 1 ? "" : "number" }, text))));
    const laws = told.laws.map((law) => make("li", {}, make("code", {}, law)));
    fill(this.bodies.draw, make("h2", {}, "How it was drawn "), make("span", { class: "hint" }, told.summary),
      make("table", {}, make("thead", {}, make("tr", {}, ...["candidate", "event", "site", "rate / s⁻¹", "chance", "fired"].map((name) => make("th", {}, name)))), make("tbody", {}, ...rows)),
      make("h3", {}, "Laws called again, compared with the table"), make("ul", { class: "list" }, ...laws), make("p", { class: "hint mono" }, told.words));
  }

  // --- in a recording: what to look for ---

  #finder() {
    const what = make("select", { id: "find-what", "aria-label": "What to look for" }, ...this.abilities.kinds.map(([value, text]) => make("option", { value }, text)));
    fill(this.bodies.next, make("h2", {}, "Find"), make("div", { class: "row" }, what, make("button", { type: "button", id: "find-next", onclick: () => this.on.until(what.value) }, "Next one")), ...this.abilities.about.map((text) => make("p", { class: "hint" }, text)));
  }
}
