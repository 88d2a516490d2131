/** Numbers of several rounds as one figure with its spread, and how they are written. */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const milliseconds = (/** @type {number} */ value) =>
  value >= 1_000 ? `${(value / 1_000).toFixed(2)} s` : value >= 10 ? `${value.toFixed(0)} ms` : `${value.toFixed(1)} ms`;
export const ratio = (/** @type {number} */ value) => `${value.toFixed(2)} ×`;
export const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

/** `median (least – most)`. */
export function spread(/** @type {readonly number[]} */ values, /** @type {(value: number) => string} */ write) {
  return `${write(median(values))} (${write(Math.min(...values))} – ${write(Math.max(...values))})`;
}

/** A line of the results: what was measured, and whether its median keeps below the aim. */
export function line(/** @type {string} */ measure, /** @type {readonly number[]} */ values, /** @type {(value: number) => string} */ write, /** @type {number | undefined} */ aim = undefined) {
  return {measure, value: values.length === 1 ? write(values[0]) : spread(values, write), aim: aim === undefined ? '' : `≤ ${write(aim)}`, met: aim === undefined ? null : median(values) <= aim};
}
