// Short names of sources: as many of the last words of a path as tell the sources apart.

/** @param {string[]} sources @returns {Map<string, string>} a different short name for each source */
export function shortenSources(sources) {
  const candidates = new Map(sources.map((source) => [source, candidatesOf(source)]));
  const steps = new Map(sources.map((source) => [source, 0]));
  const name = (/** @type {string} */ source) => candidates.get(source)?.[steps.get(source) ?? 0] ?? source;
  for (;;) {
    const counts = new Map();
    for (const source of sources) counts.set(name(source), (counts.get(name(source)) ?? 0) + 1);
    const longer = sources.filter((source) => (counts.get(name(source)) ?? 0) > 1 && (steps.get(source) ?? 0) + 1 < (candidates.get(source)?.length ?? 0));
    if (!longer.length) return new Map(sources.map((source) => [source, name(source)]));
    for (const source of longer) steps.set(source, (steps.get(source) ?? 0) + 1);
  }
}

/** The possible names of a source, the shortest first. @param {string} source */
function candidatesOf(source) {
  const parts = source.split("/").filter(Boolean);
  const last = parts.at(-1) ?? source;
  return [last.replace(/(.)\.log$/, "$1"), ...parts.map((_, at) => parts.slice(parts.length - 1 - at).join("/")), source];
}
