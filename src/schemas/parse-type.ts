import type {DataType, Field} from './schema.ts';

const plain: Readonly<Record<string, DataType>> = {
  bool: {kind: 'bool'}, utf8: {kind: 'utf8'}, binary: {kind: 'binary'}, uuid: {kind: 'uuid'}, json: {kind: 'json'}, date: {kind: 'date'},
  time: {kind: 'time'}, interval: {kind: 'interval'}, timestamp: {kind: 'timestamp', zoned: false}, timestamptz: {kind: 'timestamp', zoned: true},
  int8: {kind: 'int', bits: 8, signed: true}, int16: {kind: 'int', bits: 16, signed: true}, int32: {kind: 'int', bits: 32, signed: true}, int64: {kind: 'int', bits: 64, signed: true},
  uint8: {kind: 'int', bits: 8, signed: false}, uint16: {kind: 'int', bits: 16, signed: false}, uint32: {kind: 'int', bits: 32, signed: false}, uint64: {kind: 'int', bits: 64, signed: false},
  float32: {kind: 'float', bits: 32}, float64: {kind: 'float', bits: 64},
};

/** Reads what `typeName` writes; null when the text is no type. Parts of nested types are nullable and have no ids. */
export function parseTypeName(text: string): DataType | null {
  const known = plain[text];
  if (known) return known;
  const decimal = /^decimal\((\d+),\s*(-?\d+)\)$/.exec(text);
  if (decimal) return {kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2])};
  const nested = /^(list|map|struct)<(.*)>$/.exec(text);
  if (!nested) return null;
  const parts = splitAtTop(nested[2]!);
  if (nested[1] === 'list') {
    const element = parts.length === 1 ? part('element', parts[0]!) : null;
    return element && {kind: 'list', element};
  }
  if (nested[1] === 'map') {
    const [key, value] = parts.length === 2 ? [part('key', parts[0]!), part('value', parts[1]!)] : [null, null];
    return key && value && {kind: 'map', key, value};
  }
  const fields = parts.map(member => {
    const colon = member.indexOf(':');
    return colon < 1 ? null : part(member.slice(0, colon).trim(), member.slice(colon + 1));
  });
  return fields.every(field => field !== null) ? {kind: 'struct', fields} : null;
}

function part(name: string, text: string): Field | null {
  const type = parseTypeName(text.trim());
  return type && {id: 0, name, type, nullable: true};
}

/** Splits at the commas that stand in no bracket. */
function splitAtTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '<' || char === '(') depth++;
    else if (char === '>' || char === ')') depth--;
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
