// Where each token of the model stands in the text as it was written.
//
// The model reads a normal form: small letters, plain quotes and dashes. The page shows the text
// itself, so tokens are looked for in it, from the start on, and from the end back where the model
// leaves out the middle.

const ALIKE = new Map(
  Object.entries({
    "'": "`\u00b4\u02bc\u2018\u2019\u201a\u201b\u2032",
    '"': "\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    ";": "\u037e",
    "\u00b7": "\u0387",
    "\u03c3": "\u03c2",
    "\u00df": "\u1e9e",
  }).flatMap(([plain, others]) => [...others].map((other) => [other, plain])),
);
const HIDDEN = /[\u00ad\u034f\u061c\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]/;

function plain(character) {
  if (HIDDEN.test(character)) return "";
  if (character === "\u2026") return "...";
  const code = character.charCodeAt(0);
  const narrow = code >= 0xff01 && code <= 0xff5e ? String.fromCharCode(code - 0xfee0) : character;
  return ALIKE.get(narrow) ?? [...narrow.toLowerCase()][0];
}

// Return the normal text and, for each of its code units, where it comes from; and the end.
function normal(text) {
  let made = "";
  const from = [];
  let at = 0;
  for (const character of text) {
    const become = plain(character);
    made += become;
    for (let k = 0; k < become.length; k += 1) from.push([at, at + character.length]);
    at += character.length;
  }
  return { made, from };
}

// Return [start, end) of each token in the text, or null where one of them is not found.
export function places(text, tokens, leftOut) {
  const { made, from } = normal(text);
  const head = leftOut ? leftOut.after : tokens.length;
  const found = [];
  let low = 0;
  for (const token of tokens.slice(0, head)) {
    const start = made.indexOf(token, low);
    if (start < 0) return null;
    low = start + token.length;
    found.push([start, low]);
  }
  const tail = [];
  let high = made.length;
  for (const token of tokens.slice(head).reverse()) {
    const start = high - token.length < low ? -1 : made.lastIndexOf(token, high - token.length);
    if (start < low) return null;
    high = start;
    tail.unshift([start, start + token.length]);
  }
  return [...found, ...tail].map(([start, end]) => [from[start][0], from[end - 1][1]]);
}
