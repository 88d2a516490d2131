import type {Bucket} from '../../../schemas/schema.ts';

const buckets = 10;
const categories = 20;

/** Equal steps for numbers and instants; the most frequent values for the rest, where values come again. */
export function histogramOf(values: readonly string[], type: string): Bucket[] {
  if (values.length === 0) return [];
  if (/^u?int|^float|^decimal/.test(type)) return steps(values.map(Number).filter(Number.isFinite), String);
  if (type === 'date' || type.startsWith('timestamp')) {
    const length = type === 'date' ? 10 : 19;
    const times = values.map(value => Date.parse(/[Z+]|-\d\d:?\d\d$/.test(value.slice(10)) || value.length <= 10 ? value : `${value.replace(' ', 'T')}Z`)).filter(Number.isFinite);
    return steps(times, time => new Date(time).toISOString().slice(0, length).replace('T', ' '));
  }
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  if (counts.size === values.length && values.length > categories) return [];
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, categories).map(([value, count]) => ({from: value.slice(0, 200), to: value.slice(0, 200), count}));
}

function steps(values: readonly number[], written: (value: number) => string): Bucket[] {
  if (values.length === 0) return [];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  if (low === high) return [{from: written(low), to: written(high), count: values.length}];
  const counts = new Array<number>(buckets).fill(0);
  for (const value of values) counts[Math.min(buckets - 1, Math.floor(((value - low) / (high - low)) * buckets))]!++;
  const bound = (index: number): string => written(index === buckets ? high : low + ((high - low) * index) / buckets);
  return counts.map((count, index) => ({from: bound(index), to: bound(index + 1), count}));
}
