/** In what form an answer is streamed. */
export type StreamFormat = 'ndjson' | 'arrow';

const mediaTypes: Readonly<Record<string, StreamFormat | 'json'>> = {
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'application/vnd.apache.arrow.stream': 'arrow',
  'application/json': 'json',
  'application/graphql-response+json': 'json',
};

export const contentTypes: Readonly<Record<StreamFormat, string>> = {ndjson: 'application/x-ndjson; charset=utf-8', arrow: 'application/vnd.apache.arrow.stream'};

/** What an `Accept` header wants most, of equals what it names first; null: an ordinary answer. */
export function wantedFormat(accept: string | undefined): StreamFormat | null {
  if (accept === undefined || !/ndjson|jsonl|arrow/.test(accept)) return null;
  let best: {format: StreamFormat | 'json'; quality: number} | null = null;
  for (const range of accept.split(',')) {
    const [name = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase());
    const format = mediaTypes[name];
    const quality = Number(parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? 1);
    if (format && quality > (best?.quality ?? 0)) best = {format, quality};
  }
  return best && best.format !== 'json' ? best.format : null;
}
