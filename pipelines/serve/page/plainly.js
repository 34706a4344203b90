// Numbers in plain words.

import { fixed, signed } from "./dom.js";

const AMOUNTS = [[0.15, "hardly any"], [0.35, "little"], [0.45, "less than half"], [0.55, "about half"], [0.7, "more than half"], [0.85, "much"]];

function amount(part) {
  return AMOUNTS.find(([limit]) => part < limit)?.[1] ?? "nearly all";
}

// Whether a model that may leave a text undecided has done so; no other has such a verdict.
function isUnsure(found) {
  return Boolean(found.abstain) && found.verdict === "unsure";
}

// Return the verdict, the number, and what it is.
export function verdict(found) {
  if ("value" in found) return ["", fixed(found.value, 4), "is the value."];
  const said = `is the calibrated probability of ${found.label}`;
  return [found.verdict, fixed(found.probability, 4), isUnsure(found) ? `${said}, too near to another verdict to decide.` : `${said}.`];
}

// Return what there is to say of one word.
export function ofWord(found, t) {
  const parts = [`“${found.tokens[t]}”, word ${t + 1} of ${found.tokens.length}, ${weight(found, t)}`];
  if (!found.known[t]) parts.push("It is unknown to the model, like every word outside its vocabulary.");
  for (const [direction, trace] of Object.entries(found.gates)) parts.push(gates(direction, trace.mean, t));
  parts.push(turn(found, t));
  return parts.filter(Boolean).join(" ");
}

function weight(found, t) {
  const share = found.shares[t];
  const rank = found.shares.filter((other) => Math.abs(other) > Math.abs(share)).length + 1;
  const side = "value" in found ? (share >= 0 ? "raises the value" : "lowers the value") : `speaks ${share >= 0 ? "for" : "against"} ${found.label}`;
  const place = rank === 1 ? "the largest share of all" : `the ${ordinal(rank)} largest share`;
  return `${side}: ${signed(share)}, ${place}.`;
}

function ordinal(n) {
  const ends = { one: "st", two: "nd", few: "rd", other: "th" };
  return `${n}${ends[new Intl.PluralRules("en", { type: "ordinal" }).select(n)]}`;
}

function gates(direction, mean, t) {
  const from = direction === "forward" ? "Having read what comes before" : "Having read what comes after";
  const [i, f, o] = [mean.i[t], mean.f[t], mean.o[t]];
  return (
    `${from}, the network lets ${amount(i)} of the word in (i ${fixed(i)}), ` +
    `keeps ${amount(f)} of its memory (f ${fixed(f)}) and shows ${amount(o)} of it (o ${fixed(o)}).`
  );
}

function turn(found, t) {
  const at = found.running.findIndex((step) => step.tokens === t + 1);
  if (at < 1) return "";
  const [before, after] = [found.running[at - 1], found.running[at]];
  const value = (step) => fixed(step.probability ?? step.value);
  const flips = after.verdict !== before.verdict ? ` Here it ${isUnsure({ ...found, verdict: after.verdict }) ? "becomes" : "turns to"} ${after.verdict}.` : "";
  return `The running verdict goes from ${value(before)} to ${value(after)}.${flips}`;
}

// Return how a second text's answer differs from the first's.
export function difference(first, second, paired) {
  const number = (found) => found.probability ?? found.value;
  const what = "value" in first ? "The value" : `The probability of ${second.label}`;
  const moved = `${what} goes from ${fixed(number(first), 4)} to ${fixed(number(second), 4)}.`;
  const gate = mostMoved(first, second, paired);
  return gate ? `${moved} Of the words that both texts have, ${gate}` : moved;
}

function mostMoved(first, second, paired) {
  let best = null;
  for (const [a, b] of paired) {
    for (const [direction, trace] of Object.entries(second.gates)) {
      for (const gate of ["i", "f", "o"]) {
        const [from, to] = [first.gates[direction]?.mean[gate][a], trace.mean[gate][b]];
        const by = Math.abs(to - from);
        if (by > (best?.by ?? 0.005)) best = { by, gate, direction, from, to, token: second.tokens[b] };
      }
    }
  }
  if (best === null) return "";
  return `“${best.token}” moves its gates most: ${best.gate}, ${best.direction}, from ${fixed(best.from)} to ${fixed(best.to)}.`;
}
