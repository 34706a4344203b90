// Elements by name. Texts are somebody else's words: they become text nodes, never markup.

const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const DEEPEST = 0.62; // opacity of the strongest shade, through which text stays readable

// Shade a node by what part a value is of the largest.
export function shade(node, value, most) {
  const strength = most ? Math.min(Math.abs(value) / most, 1) : 0;
  node.classList.add(value >= 0 ? "plus" : "minus");
  node.style.setProperty("--a", (DEEPEST * strength).toFixed(3));
}

export const signed = (value, digits = 2) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);

// Return a number with so many digits after the point, without a sign if none of them says more than 0.
export function fixed(value, digits = 2) {
  const size = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(size) ? "−" : "") + size;
}
