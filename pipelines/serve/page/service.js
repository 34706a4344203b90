// What the page asks the service.

const MESSAGES = {
  413: "This text is longer than the service takes.",
  429: "The service is busy; it is asked again when you go on typing.",
};

// Ask why a text gets its verdict. Throws an Error that may be shown, or an AbortError.
export async function explain(text, signal) {
  return request("/v1/explain", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
    signal,
  });
}

// What model serves.
export const model = () => request("/page/model");

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The service does not answer. Is it still running?");
  }
  const found = await response.json().catch(() => ({}));
  if (response.ok) return found;
  const told = MESSAGES[response.status] ?? "The service has no answer.";
  throw new Error(found.error ? `${told} (${found.error})` : told);
}
