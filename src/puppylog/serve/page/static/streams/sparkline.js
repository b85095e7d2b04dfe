/**
 * The rate of a stream at the last polls, as a small line. The number next to it says the same to screen readers.
 */

const SVG = "http://www.w3.org/2000/svg";
const POLLS = 40;
const WIDTH = 60;
const HEIGHT = 14;

/** Remembers the last rates of every stream. */
export class Rates {
  #rates = new Map();

  /** @param {{stream_id: number, lines_per_s: number | null}[]} streams one poll */
  add(streams) {
    const before = this.#rates;
    this.#rates = new Map();
    for (const { stream_id, lines_per_s } of streams) {
      const rates = before.get(stream_id) ?? [];
      this.#rates.set(stream_id, [...rates.slice(1 - POLLS), lines_per_s ?? 0]);
    }
  }

  /** @param {number} id @returns {number[]} lines a second, the newest last */
  of(id) {
    return this.#rates.get(id) ?? [];
  }
}

/** @returns {{node: SVGElement, draw: (rates: number[]) => void}} */
export function sparkline() {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  node.setAttribute("class", "sparkline");
  node.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "polyline");
  node.append(line);
  return {
    node,
    draw(rates) {
      const highest = Math.max(...rates, 1);
      const points = rates.map((rate, index) => {
        const x = WIDTH - (rates.length - 1 - index) * (WIDTH / (POLLS - 1));
        return `${x.toFixed(1)},${(HEIGHT - 1 - (rate / highest) * (HEIGHT - 2)).toFixed(1)}`;
      });
      line.setAttribute("points", points.join(" "));
    },
  };
}
