// The page: one text, or two side by side, and a link that carries them.

import { element } from "./dom.js";
import { Panel } from "./panel.js";
import { difference } from "./plainly.js";
import { pairs } from "./pairs.js";
import { model } from "./service.js";

const EXAMPLES = [
  ["praise", "A warm and funny film that I would see again."],
  ["a turn", "I wanted to love it, but the plot is a mess."],
  ["a denial", "It is not a good film."],
  ["one word", "The acting was wonderful and the ending was dull.", "The acting was wooden and the ending was dull."],
];
const byId = (id) => document.getElementById(id);

const first = new Panel("one", "Text", { changed, typed: linked });
const second = new Panel("two", "Second text", { changed, typed: linked });
byId("panels").append(first.root);
const comparing = () => second.root.isConnected;

function changed() {
  first.draw(comparing() ? second.found : null);
  if (comparing()) second.draw(first.found);
  const both = comparing() && first.found && second.found;
  byId("difference").hidden = !both;
  byId("difference").textContent = both ? difference(first.found, second.found, pairs(first.found.tokens, second.found.tokens)) : "";
}

function setComparing(wanted) {
  if (wanted === comparing()) return;
  if (wanted) byId("panels").append(second.root);
  else second.root.remove();
  document.body.classList.toggle("two", wanted);
  byId("compare").setAttribute("aria-pressed", String(wanted));
  first.part("text-name").textContent = wanted ? "First text" : "Text";
}

// The link: the texts stand in the fragment, which browsers send to no server.
function linked() {
  history.replaceState(null, "", fragment() || location.pathname);
}

function fragment() {
  const parts = [["text", first.text], ...(comparing() ? [["with", second.text]] : [])];
  const filled = parts.filter(([, text]) => text);
  return filled.length ? `#${filled.map(([name, text]) => `${name}=${coded(text)}`).join("&")}` : "";
}

const coded = (text) => encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"));

function fromLink() {
  const parts = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
  setComparing(parts.has("with"));
  if ((parts.get("text") ?? "") !== first.text || !first.text) first.text = parts.get("text") ?? "";
  if (comparing()) second.text = parts.get("with");
}

function take(text, other) {
  setComparing(other !== undefined);
  first.text = text;
  if (other !== undefined) second.text = other;
  linked();
}

for (const [name, ...texts] of EXAMPLES) {
  const button = element("button", { type: "button", title: texts.join(" / ") }, name);
  button.addEventListener("click", () => take(...texts));
  byId("examples").append(button);
}

byId("compare").addEventListener("click", () => {
  setComparing(!comparing());
  if (comparing()) {
    second.text = first.text;
    second.input.focus();
  }
  changed();
  linked();
});

byId("share").addEventListener("click", async () => {
  linked();
  try {
    await navigator.clipboard.writeText(location.href);
    byId("notice").textContent = "The link is copied; it carries the text.";
  } catch {
    byId("notice").textContent = `Copy the address of this page; it carries the text.`;
  }
});

window.addEventListener("hashchange", fromLink);
window.addEventListener("resize", () => {
  for (const panel of [first, second]) panel.fit();
});
fromLink();
model().then(
  (found) => {
    const units = `${found.units} units`;
    byId("model").textContent = `The model ${found.name}: an LSTM of ${units}${found.layers > 1 ? ` in ${found.layers} layers` : ""}. Type a text and see what its gates do.`;
    byId("foot").textContent = `sentiment_lstm ${found.package}, model ${found.name}, version ${found.version}.`;
  },
  (error) => {
    byId("notice").textContent = error.message;
  },
);
