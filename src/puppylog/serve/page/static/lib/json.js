/** JSON whose whole numbers keep all of their digits: one that a Number cannot hold becomes a BigInt. */

/** @param {string} text @returns {any} */
export function parseJson(text) {
  if (!/\d{16}/.test(text)) return JSON.parse(text); // many times faster, and nearly always
  return JSON.parse(text, /** @type {any} */ (keepDigits));
}

/** @param {string} _name @param {any} value @param {{source: string} | undefined} context which old browsers do not give */
function keepDigits(_name, value, context) {
  const isRounded = typeof value === "number" && !Number.isSafeInteger(value) && context && /^-?\d+$/.test(context.source);
  return isRounded ? BigInt(context.source) : value;
}
