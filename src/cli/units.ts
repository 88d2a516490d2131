/** Values as people read them. */

/** `3,000,000`; takes the strings of the graph's BigInt. */
export function count(value: number | bigint | string): string {
  return BigInt(value).toLocaleString('en-US');
}

/** `12.3 MB`: powers of 1000, three digits. */
export function bytes(value: number | bigint | string): string {
  let amount = Number(value);
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  const text = unit === 0 || amount >= 99.95 ? amount.toFixed(0) : amount.toFixed(amount >= 9.995 ? 1 : 2);
  return `${text} ${units[unit]}`;
}

/** `340 ms`, `3.2 s`, `2 min 5 s`, `3 h 12 min`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** `1.2 M rows/s`. */
export function rate(rowsPerSecond: number): string {
  const steps = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']] as const;
  const step = steps.find(([size]) => rowsPerSecond >= size);
  return step ? `${(rowsPerSecond / step[0]).toFixed(1)} ${step[1]} rows/s` : `${Math.round(rowsPerSecond)} rows/s`;
}

/** An instant of the graph in the machine's time zone: `2001-06-30 14:05:09`. */
export function time(instant: string | null): string {
  if (instant === null) return '';
  const at = new Date(instant);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
