// Which words two texts have in common, in order: their longest common subsequence.

const MOST = 1000; // tokens of a text; more than any model here reads

export function pairs(first, second) {
  const [one, other] = [first.slice(0, MOST), second.slice(0, MOST)];
  const lengths = table(one, other);
  const found = [];
  let [a, b] = [0, 0];
  while (a < one.length && b < other.length) {
    if (one[a] === other[b]) found.push([a++, b++]);
    else if (lengths[a + 1][b] >= lengths[a][b + 1]) a += 1;
    else b += 1;
  }
  return found;
}

// Return the length of the longest common subsequence of the ends from each pair of places on.
function table(one, other) {
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let a = one.length - 1; a >= 0; a -= 1) {
    for (let b = other.length - 1; b >= 0; b -= 1) {
      const same = one[a] === other[b];
      lengths[a][b] = same ? lengths[a + 1][b + 1] + 1 : Math.max(lengths[a + 1][b], lengths[a][b + 1]);
    }
  }
  return lengths;
}
