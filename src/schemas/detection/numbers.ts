/** Numbers as they are written, and which type holds them exactly. */

const number = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Characters past which a text is no number that anybody wrote, nor one that any type holds exactly. */
const longest = 400;

export interface WrittenNumber {
  readonly kind: 'int' | 'int64' | 'huge' | 'decimal' | 'float';
  /** Before and after the point. */
  readonly digits: readonly [whole: number, fraction: number];
}

const int64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;

/** What a text is as a number, without spaces around it; null when it is none. A code such as `007` is none, nor `-0`. */
export function readNumber(text: string): WrittenNumber | null {
  if (text.length > longest || !number.test(text) || isCode(text)) return null;
  const unsigned = text.replace(/^[+-]/, '');
  const [mantissa = '', exponent] = unsigned.split(/[eE]/);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = [whole.length, fraction.length] as const;
  if (exponent === undefined && !mantissa.includes('.')) {
    if (/^-0+$/.test(text)) return null;
    if (whole.length < 10) return {kind: 'int', digits};
    const value = BigInt(text.replace('+', ''));
    if (value < int64[0] || value > int64[1]) return whole.length <= 38 ? {kind: 'huge', digits} : null;
    return {kind: BigInt.asIntN(32, value) === value ? 'int' : 'int64', digits};
  }
  if (isExactFloat(text, mantissa)) return {kind: 'float', digits};
  return exponent === undefined && whole.length + fraction.length <= 38 ? {kind: 'decimal', digits} : null;
}

/** Begins with a zero before another digit. */
export const isCode = (text: string): boolean => /^[+-]?0\d/.test(text);

/** Written out again it has the same digits, so nothing was rounded away. */
function isExactFloat(text: string, mantissa: string): boolean {
  const value = Number(text);
  if (!Number.isFinite(value)) return false;
  const given = significant(mantissa);
  if (given.length <= 15) return value !== 0 || given === '';
  return significant(String(value).split('e')[0]!) === given;
}

const significant = (mantissa: string): string => mantissa.replace(/[^0-9]/g, '').replace(/^0+|0+$/g, '');

/** Characters of a number as people write it. */
const longestFormatted = 60;

/** `1.234,5`, `1,234`, `$12`, `12 %`: a number to a reader; nothing says which. */
export const isFormattedNumber = (text: string): boolean =>
  text.length <= longestFormatted && /^[-+(]?\s*[$€£¥]?\s*[-+]?\d{1,3}(?:[.,' ]\d{3})*(?:[.,]\d+)?\s*(?:[$€£¥%]|[A-Za-z]{1,3})?\)?$/.test(text) && !number.test(text);
