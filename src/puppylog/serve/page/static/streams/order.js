/**
 * Which streams are shown, in which order and under which headings. Nothing here touches the document.
 *
 * @typedef {{stream_id: number, source: string, source_uri: string, group: string | null, host: string | null,
 *   labels: Record<string, string>,
 *   state: string, problem: string | null, lag_bytes: number | null, lag_s: number | null, lines_per_s: number | null,
 *   records: number | null, rejected_lines: number, stored_at: string | null, format: string | null}} Stream
 */

/** The states of a stream, the most urgent first: a sign, so that colour is never the only difference, and a tone. */
export const STATES = {
  stalled: { sign: "▲", tone: "firing" },
  behind: { sign: "◐", tone: "pending" },
  ok: { sign: "●", tone: "ok" },
  finished: { sign: "✓", tone: "quiet" },
  ended: { sign: "○", tone: "quiet" },
  unreported: { sign: "○", tone: "quiet" },
};

const RANKS = Object.keys(STATES);

/** The choices above the table: a word, and which states it keeps. */
export const CHOICES = {
  all: { label: "All", states: RANKS },
  problems: { label: "Problems", states: ["stalled"] },
  behind: { label: "Behind", states: ["behind"] },
  ok: { label: "OK", states: ["ok"] },
  others: { label: "Others", states: ["finished", "ended", "unreported"] },
};

const SORTS = {
  state: (one, other) => rank(one) - rank(other) || Number(other.lag_bytes) - Number(one.lag_bytes),
  source: () => 0,
  lag: (one, other) => Number(other.lag_bytes) - Number(one.lag_bytes),
  rate: (one, other) => Number(other.lines_per_s) - Number(one.lines_per_s),
  records: (one, other) => Number(other.records) - Number(one.records),
  rejects: (one, other) => other.rejected_lines - one.rejected_lines,
  stored: (one, other) => String(other.stored_at ?? "").localeCompare(String(one.stored_at ?? "")),
};

/** @param {{state: string}} stream */
function rank(stream) {
  const found = RANKS.indexOf(stream.state);
  return found < 0 ? RANKS.length : found;
}

/** The labels as users write them. @param {{labels: Record<string, string>}} stream */
export function describeLabels({ labels }) {
  return Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

/**
 * Whether every word of `text` is in the stream's source, host, group, format, state or problem.
 * @param {Stream} stream @param {string} text
 */
export function matches(stream, text) {
  const { source, source_uri, host, group, format, state, problem } = stream;
  const whole = [source, source_uri, host, group, format, state, problem, describeLabels(stream)]
    .join("\n")
    .toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => whole.includes(word));
}

/**
 * @param {Stream[]} streams
 * @param {{find: string, choice: string, sort: string}} wish
 * @returns {Stream[]} the streams to show, in order
 */
export function choose(streams, { find, choice, sort }) {
  const states = (CHOICES[choice] ?? CHOICES.all).states;
  const isKept = (stream) => (choice === "all" || states.includes(stream.state)) && matches(stream, find);
  const compare = SORTS[sort] ?? SORTS.state;
  const byName = (one, other) => one.source.localeCompare(other.source) || one.stream_id - other.stream_id;
  return streams.filter(isKept).sort((one, other) => compare(one, other) || byName(one, other));
}

/**
 * Divide streams into sections. The section with the most urgent stream comes first.
 * @param {Stream[]} streams in order
 * @param {string} by
 * @returns {{key: string, streams: Stream[]}[]}
 */
export function divide(streams, by) {
  if (!by) return streams.length ? [{ key: "", streams }] : [];
  const sections = new Map();
  for (const stream of streams) {
    const key = stream[by] ?? "";
    if (!sections.has(key)) sections.set(key, { key, streams: [] });
    sections.get(key).streams.push(stream);
  }
  const urgency = (section) => Math.min(...section.streams.map(rank));
  return [...sections.values()].sort(
    (one, other) => urgency(one) - urgency(other) || one.key.localeCompare(other.key),
  );
}

/**
 * Give new sections the order of the sections that are shown, so that no row moves away from under the pointer.
 * Rows that are gone are left out; new rows come last.
 * @param {{key: string, streams: Stream[]}[]} sections
 * @param {{key: string, ids: number[]}[]} shown
 */
export function keepOrder(sections, shown) {
  const places = new Map();
  shown.forEach(({ key, ids }, section) => {
    places.set(`section ${key}`, section);
    ids.forEach((id, row) => places.set(id, row));
  });
  const placeOf = (key) => places.get(key) ?? Number.MAX_SAFE_INTEGER;
  for (const section of sections) {
    section.streams.sort((one, other) => placeOf(one.stream_id) - placeOf(other.stream_id));
  }
  return sections.sort((one, other) => placeOf(`section ${one.key}`) - placeOf(`section ${other.key}`));
}

/** @param {Stream[]} streams */
export function total(streams) {
  const sum = (name) => streams.reduce((before, stream) => before + (stream[name] ?? 0), 0);
  return {
    streams: streams.length,
    stalled: streams.filter((stream) => stream.state === "stalled").length,
    behind: streams.filter((stream) => stream.state === "behind").length,
    lag_bytes: sum("lag_bytes"),
    lines_per_s: sum("lines_per_s"),
    records: sum("records"),
    rejects: sum("rejected_lines"),
  };
}
