// Elements of the page: made, found, filled. Text goes in as text, never as markup.

export const find = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export function makeSvg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// What an element holds, anew. Whoever had the focus in it has it again, so that keys go on where they were.
export function fill(element, ...children) {
  const reached = () => [...element.querySelectorAll("button, input, select, summary, [tabindex]")], held = document.activeElement;
  const at = element.contains(held) ? reached().indexOf(held) : -1;
  element.replaceChildren(...children.filter((child) => child != null));
  if (at < 0 || held.isConnected) return;
  const again = held.id ? element.querySelector(`#${held.id}`) : reached()[at];
  if (again?.tagName === held.tagName) again.focus({ preventScroll: true });
}

// A list of name and value; a value may be an element.
export function pairs(entries) {
  const list = make("dl", { class: "pairs" });
  for (const [name, value] of entries) list.append(make("dt", {}, name), make("dd", {}, value));
  return list;
}

// A row that is chosen by a click, by Enter or by space.
export function chosenBy(choose, attributes, ...cells) {
  const press = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    choose();
  };
  return make("tr", { tabindex: 0, onclick: press, onkeydown: press, ...attributes }, ...cells);
}
