// Words × gates as a heat map; beside another text, the cells that differ from it are framed.

import { element, fixed, shade, signed } from "./dom.js";

export const GATES = ["i", "f", "o", "g", "c", "h"];
const DIGITS = { i: 2, f: 2, o: 2, g: 3, c: 3, h: 3 }; // means of what has two signs are small
export const MOVED = 0.05; // a difference that is worth a frame

// Show the table; `other(t)` is the number of the same word in `before`, or undefined.
export function showGates(box, found, before, other) {
  const directions = Object.keys(found.gates);
  const table = element("table", {}, head(directions));
  const body = element("tbody");
  const most = largest(found, directions);
  found.tokens.forEach((token, t) => {
    const row = element("tr", {}, element("th", { scope: "row" }, token));
    for (const direction of directions) {
      GATES.forEach((gate, k) => {
        const value = found.gates[direction].mean[gate][t];
        const cell = element("td", k ? {} : { class: "edge" }, fixed(value, DIGITS[gate]));
        shade(cell, value, most[gate]);
        mark(cell, value, before?.gates[direction]?.mean[gate][other(t)]);
        row.append(cell);
      });
    }
    body.append(row);
  });
  table.append(body);
  box.replaceChildren(table);
  return [...body.rows];
}

function head(directions) {
  const names = element("tr", {}, element("th", { scope: "col" }, "word"));
  for (const direction of directions) {
    const arrow = direction === "forward" ? "→" : "←";
    GATES.forEach((gate, k) => {
      const cell = element("th", { scope: "col", "aria-label": `${gate}, ${direction}` }, `${gate}${arrow}`);
      if (!k) cell.className = "edge";
      names.append(cell);
    });
  }
  return element("thead", {}, names);
}

// A gate is shaded by itself, from 0 to 1; g, c and h by the largest of their kind in the text.
function largest(found, directions) {
  const most = { i: 1, f: 1, o: 1 };
  for (const gate of ["g", "c", "h"]) {
    const values = directions.flatMap((direction) => found.gates[direction].mean[gate]);
    most[gate] = Math.max(0.05, ...values.map(Math.abs));
  }
  return most;
}

function mark(cell, value, before) {
  if (before === undefined || Math.abs(value - before) < MOVED) return;
  cell.classList.add("moved");
  cell.title = `${signed(value - before)} beside the other text`;
}
