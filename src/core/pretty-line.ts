const levels: Readonly<Record<string, readonly [label: string, color: number]>> = {
  trace: ['trace', 90], debug: ['debug', 90], info: ['info ', 36], warn: ['warn ', 33], error: ['error', 31], fatal: ['fatal', 35],
};

/** Shown by their place in the line, not as key=value. */
const placed = new Set(['level', 'time', 'msg', 'err', 'part', 'pid', 'hostname']);

/**
 * A JSON log line as a line for people: local time, level, part, message, then the other fields; an error's stack goes below, dimmed.
 *
 * @returns the line with its end; what is not JSON as it was.
 */
export function prettyLine(json: string, color: boolean): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(json);
  } catch {
    return json;
  }
  const paint = (text: string, code: number) => (color ? `\u001b[${code}m${text}\u001b[39m` : text);
  const [label, tint] = levels[String(entry.level)] ?? [String(entry.level), 39];
  const words = [paint(clock(new Date(String(entry.time))), 90), paint(label, tint)];
  if (entry.part !== undefined) words.push(paint(`[${entry.part}]`, 90));
  if (entry.msg !== undefined) words.push(String(entry.msg));
  for (const [key, value] of Object.entries(entry)) {
    if (!placed.has(key)) words.push(`${paint(`${key}=`, 90)}${typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value)}`);
  }
  return `${words.join(' ')}\n${errorLines(entry.err).map((line) => `    ${paint(line, 90)}\n`).join('')}`;
}

function errorLines(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const {code, message, hint, stack, cause} = error as Record<string, unknown>;
  const frames = typeof stack === 'string' ? stack.split('\n').filter((line) => line.startsWith('    at ')).map((line) => line.slice(2)) : [];
  const below = errorLines(cause);
  return [
    `${code === undefined ? '' : `${code}: `}${message}`,
    ...(hint === undefined ? [] : [`${hint}`]),
    ...frames,
    ...(below.length === 0 ? [] : [`caused by ${below[0]}`, ...below.slice(1)]),
  ];
}

function clock(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}
