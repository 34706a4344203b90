// One text and what is found in it.

import { showGates } from "./gates.js";
import { pairs } from "./pairs.js";
import { ofWord, verdict } from "./plainly.js";
import { point, showRunning } from "./running.js";
import { explain } from "./service.js";
import { showWords } from "./words.js";

const PAUSE = 250; // milliseconds without a key before the service is asked
const HINT = "Rest the pointer on a word, or move there with Tab and the arrow keys, to read what the network does at it.";

export class Panel {
  // `changed` is called when the text has another answer, `typed` at every key.
  constructor(name, title, { changed, typed }) {
    this.root = document.getElementById("panel").content.firstElementChild.cloneNode(true);
    this.input = this.root.querySelector("textarea");
    this.found = null;
    this.chosen = null;
    this.changed = changed;
    this.nameParts(name, title);
    this.input.addEventListener("input", () => {
      typed();
      this.askSoon();
    });
  }

  get text() {
    return this.input.value;
  }

  set text(text) {
    this.input.value = text;
    this.ask();
  }

  part(name) {
    return this.root.querySelector(`.${name}`);
  }

  nameParts(name, title) {
    this.input.id = `text-${name}`;
    this.part("text-name").htmlFor = this.input.id;
    this.part("text-name").textContent = title;
    this.part("panel-name").hidden = true;
    for (const [part, box] of [["words-name", "words"], ["gates-name", "scroll"]]) {
      this.part(part).id = `${part}-${name}`;
      this.part(box).setAttribute("aria-labelledby", `${part}-${name}`);
    }
  }

  askSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  // Ask about the text as it stands; an answer to what stood before is not waited for.
  async ask() {
    clearTimeout(this.timer);
    this.asking?.abort();
    if (!this.text.trim()) return this.showNothing();
    const asking = new AbortController();
    this.asking = asking;
    this.root.setAttribute("aria-busy", "true");
    const text = this.text;
    try {
      const found = await explain(text, asking.signal);
      if (asking === this.asking) this.showFound(text, found);
    } catch (error) {
      if (asking === this.asking && error.name !== "AbortError") this.showFailure(error.message);
    }
  }

  showNothing() {
    this.asking = null;
    this.say("", "", "Type or paste a text, or take an example.");
    this.settle(null);
  }

  showFailure(message) {
    this.say(message, "", "");
    this.root.classList.add("failed");
    this.settle(null);
  }

  showFound(text, found) {
    this.shown = text;
    this.say(...verdict(found));
    this.settle(found);
  }

  say(big, number, said) {
    this.root.classList.remove("failed");
    this.part("big").textContent = big;
    this.part("number").textContent = number;
    this.part("said").textContent = said;
  }

  settle(found) {
    this.found = found;
    this.chosen = null;
    this.root.removeAttribute("aria-busy");
    this.part("found").hidden = found === null;
    this.changed();
  }

  // Show words, line and gates; beside another panel's answer, what differs from it.
  draw(beside) {
    if (this.found === null) return;
    const { found } = this;
    const same = beside ? new Map(pairs(beside.tokens, found.tokens).map(([a, b]) => [b, a])) : null;
    const isNew = (t) => same !== null && !same.has(t);
    const choose = showWords(this.part("words"), this.shown, found, isNew, (t) => this.tell(t));
    showRunning(this.part("plot"), found);
    this.part("running-name").textContent = "value" in found ? "The running value" : "The running verdict";
    this.rows = showGates(this.part("scroll"), found, beside, (t) => same?.get(t));
    this.part("gates-said").textContent = halves(found);
    this.part("plain").textContent = found.tokens.length ? HINT : "There is no word in it: the verdict is that of an empty text.";
    if (this.chosen !== null) choose(this.chosen);
  }

  // Draw the line as wide as its place has become; the words stay, and the focus among them.
  fit() {
    if (this.found === null) return;
    showRunning(this.part("plot"), this.found);
    if (this.chosen !== null) point(this.part("plot"), this.found, this.chosen + 1);
  }

  tell(t) {
    this.chosen = t;
    this.part("plain").textContent = ofWord(this.found, t);
    point(this.part("plot"), this.found, t + 1);
    this.rows.forEach((row, k) => row.classList.toggle("here", k === t));
  }
}

function halves(found) {
  const lives = Object.entries(found.gates).map(([direction, { half_life: life }]) => {
    return life === null ? `is not lost (${direction})` : `halves in ${life.toFixed(1)} words (${direction})`;
  });
  return `Means over the units at each word; → forward, ← backward. What the cells hold ${lives.join(", ")}.`;
}
