import type {FormattedExecutionResult} from 'graphql';

/** A part of a response that is JSON text already. `stringify` copies it; a plain JSON.stringify parses it first, so it is right as well, but slow. */
export class JsonText {
  constructor(readonly text: string) {}

  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/** The answer of a data field: what receipts are of. */
export class RawJson extends JsonText {}

/** A response as JSON text; root fields that are text already are copied. */
export function stringify(result: FormattedExecutionResult): string {
  const {data} = result;
  if (!data || !Object.values(data).some(value => value instanceof JsonText)) return JSON.stringify(result);
  const parts: string[] = [];
  for (const [key, value] of Object.entries(result)) {
    if (value === undefined) continue;
    parts.push(`${JSON.stringify(key)}:${key === 'data' ? stringifyData(data) : JSON.stringify(value)}`);
  }
  return `{${parts.join(',')}}`;
}

const stringifyData = (data: Record<string, unknown>): string =>
  `{${Object.entries(data)
    .map(([key, value]) => `${JSON.stringify(key)}:${value instanceof JsonText ? value.text : JSON.stringify(value)}`)
    .join(',')}}`;
