// A list of elements that is brought up to date: an element stays while its key stays, and so do focus and selection.

/**
 * @template T
 * @param {Element} parent
 * @param {(item: T) => string} keyOf different for all items
 * @param {(item: T) => {node: Element, update: (item: T) => void}} make makes the element of a new item
 * @returns {(items: T[]) => void} shows these items in this order
 */
export function keyed(parent, keyOf, make) {
  /** @type {Map<string, {node: Element, update: (item: T) => void, text: string}>} */
  const kept = new Map();
  return (items) => {
    const focused = document.activeElement;
    const keys = new Set(items.map(keyOf));
    for (const [key, { node }] of kept) {
      if (keys.has(key)) continue;
      node.remove();
      kept.delete(key);
    }
    let before = parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      const text = JSON.stringify(item);
      const entry = kept.get(key) ?? { ...make(item), text };
      if (entry.text !== text) entry.update(item);
      entry.text = text;
      kept.set(key, entry);
      if (entry.node === before) before = before.nextElementSibling;
      else parent.insertBefore(entry.node, before);
    }
    if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) {
      focused.focus({ preventScroll: true });
    }
  };
}
