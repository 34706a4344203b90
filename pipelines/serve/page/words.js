// The words of a text, shaded by their shares: one stop of the Tab key, arrows move between them.

import { element, shade, signed } from "./dom.js";
import { places } from "./places.js";

// Show the words; `chosen` is called with the number of the one at the pointer or the focus.
// Returns a function that chooses a word by its number.
export function showWords(box, text, found, isNew, chosen) {
  const most = Math.max(0, ...found.shares.map(Math.abs));
  const words = found.tokens.map((token, t) => word(found, t, token, most, isNew(t)));
  box.replaceChildren(...laidOut(text, found, words));
  if (words.length) words[0].tabIndex = 0;
  return listen(box, words, chosen);
}

function word(found, t, token, most, isNew) {
  const share = found.shares[t];
  const node = element("span", { class: "word", role: "option", "aria-selected": "false" }, token);
  node.tabIndex = -1;
  const known = found.known[t] ? "" : ", unknown to the model";
  node.setAttribute("aria-label", `${token}, share ${signed(share)}${known}`);
  if (!found.known[t]) node.classList.add("unknown");
  if (isNew) node.classList.add("new");
  shade(node, share, most);
  return node;
}

// Put the words in the text as it was written; where they are not found in it, side by side.
function laidOut(text, found, words) {
  const where = places(text, found.tokens, found.left_out);
  if (where === null) return words.flatMap((node, t) => (t ? [" ", node] : [node]));
  const parts = [];
  let at = 0;
  words.forEach((node, t) => {
    const [start, end] = where[t];
    if (start > at) parts.push(element("span", { class: "gap" }, text.slice(at, start)));
    // Of a character that makes several tokens, such as an ellipsis, the first shows it.
    node.textContent = text.slice(Math.max(start, at), end);
    parts.push(node);
    at = Math.max(at, end);
  });
  parts.push(element("span", { class: "gap" }, text.slice(at)));
  return parts;
}

function listen(box, words, chosen) {
  const number = (event) => words.indexOf(event.target);
  const choose = (t) => {
    words.forEach((node, k) => {
      node.tabIndex = k === t ? 0 : -1;
      node.setAttribute("aria-selected", String(k === t));
    });
    chosen(t);
  };
  box.onpointerover = (event) => number(event) >= 0 && choose(number(event));
  box.onclick = (event) => number(event) >= 0 && words[number(event)].focus();
  words.forEach((node, t) => node.addEventListener("focus", () => choose(t)));
  box.onkeydown = (event) => {
    const t = number(event);
    const to = { ArrowRight: t + 1, ArrowDown: t + 1, ArrowLeft: t - 1, ArrowUp: t - 1, Home: 0, End: words.length - 1 };
    if (t < 0 || !(event.key in to)) return;
    event.preventDefault();
    words[Math.min(Math.max(to[event.key], 0), words.length - 1)].focus();
  };
  return choose;
}
