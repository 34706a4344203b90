// The running verdict: what the model answers for the first words alone, as a line.

import { fixed, shape } from "./dom.js";

const HEIGHT = 160; // in pixels, as the width is: letters stay as large as they are
const LEFT = 44; // for the names of the levels
const NARROWEST = 200;
const MOST_DOTS = 120; // above which they would only blur the line

export function showRunning(box, found) {
  const width = Math.max(NARROWEST, box.clientWidth - LEFT - 8);
  box.replaceChildren(plot(found, (words) => (width * words) / Math.max(found.tokens.length, 1), width));
}

function plot(found, across, width) {
  const values = found.running.map((step) => step.probability ?? step.value);
  const [low, high] = "value" in found ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const down = (value) => (HEIGHT * (high - value)) / (high - low || 1);
  const points = found.running.map((step, k) => [across(step.tokens), down(values[k])]);
  const last = values[values.length - 1];
  const said = `From ${fixed(values[0])} with nothing read to ${fixed(last)} at the end`;
  const svg = shape("svg", { viewBox: `${-LEFT} -12 ${width + LEFT + 8} 206`, role: "img", "aria-label": said });
  svg.dataset.width = width;
  for (const level of levels(found, low, high)) svg.append(...line(level, down(level), width));
  if (found.flip !== null) svg.append(vertical("mark", across(found.flip + 1)));
  svg.append(shape("polyline", { points: points.map((p) => p.map((n) => n.toFixed(1)).join()).join(" ") }));
  if (points.length <= MOST_DOTS) svg.append(...points.map(dot));
  svg.append(label(0, "start", "nothing read"), label(width, "end", `${found.tokens.length} words read`));
  return svg;
}

function levels(found, low, high) {
  if ("value" in found || found.threshold === undefined) return [low, high];
  return [low, found.threshold, high];
}

function line(value, y, width) {
  const name = shape("text", { x: -8, y: y + 5, "text-anchor": "end" }, fixed(value, value % 1 ? 2 : 0));
  return [shape("line", { class: "level", x1: 0, x2: width, y1: y, y2: y }), name];
}

function vertical(kind, x) {
  return shape("line", { class: kind, x1: x, x2: x, y1: 0, y2: HEIGHT });
}

function dot([x, y]) {
  return shape("circle", { class: "dot", cx: x.toFixed(1), cy: y.toFixed(1), r: 4 });
}

function label(x, anchor, text) {
  return shape("text", { x, y: HEIGHT + 28, "text-anchor": anchor }, text);
}

// Mark the place after so many words.
export function point(box, found, words) {
  const svg = box.querySelector("svg");
  svg.querySelector(".here")?.remove();
  svg.append(vertical("here", (svg.dataset.width * words) / found.tokens.length));
}
