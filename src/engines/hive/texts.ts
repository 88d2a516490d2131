/** Values that the wire has as texts, from their bytes. Null: the text is no such value. */

const [zero, nine, minus, plus, dot, colon, space] = [48, 57, 45, 43, 46, 58, 32];

/** Days since 1970-01-01 of `2001-02-03` (years of any length, also negative), in the proleptic Gregorian calendar. */
export function days(bytes: Uint8Array, from: number, to: number): number | null {
  const negative = bytes[from] === minus;
  let at = negative || bytes[from] === plus ? from + 1 : from;
  let year = 0;
  for (; at < to && bytes[at] !== minus; at += 1) {
    const digit = bytes[at]! - zero;
    if (digit < 0 || digit > 9) return null;
    year = year * 10 + digit;
  }
  const [month, day] = [two(bytes, at + 1), two(bytes, at + 4)];
  if (at + 6 !== to || bytes[at + 3] !== minus || month < 1 || month > 12 || day < 1 || day > 31) return null;
  return civil(negative ? -year : year, month, day);
}

/** Two digits; -1 where there are none. */
function two(bytes: Uint8Array, at: number): number {
  const [tens, ones] = [bytes[at]! - zero, bytes[at + 1]! - zero];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** Days since 1970-01-01, counted in eras of 400 years that begin in March. */
function civil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

/** Microseconds since 1970 of `2001-02-03 04:05:06.789`, with ` UTC` after it where it is an instant. Null as well where it has nanoseconds. */
export function microseconds(bytes: Uint8Array, from: number, to: number): bigint | null {
  let at = from;
  while (at < to && bytes[at] !== space) at += 1;
  const day = days(bytes, from, at);
  if (day === null) return null;
  const [hour, minute, second] = [two(bytes, at + 1), two(bytes, at + 4), two(bytes, at + 7)];
  if (hour < 0 || minute < 0 || second < 0 || bytes[at + 3] !== colon || bytes[at + 6] !== colon) return null;
  at += 9;
  let fraction = 0;
  if (bytes[at] === dot) {
    let weight = 100_000;
    for (at += 1; at < to && bytes[at]! >= zero && bytes[at]! <= nine; at += 1) {
      const digit = bytes[at]! - zero;
      if (weight < 1 && digit !== 0) return null;
      fraction += digit * Math.floor(weight);
      weight /= 10;
    }
  }
  // Sessions are in UTC: no other zone comes.
  if (at < to && !(at + 4 === to && bytes[at] === space && bytes[at + 1] === 85 && bytes[at + 2] === 84 && bytes[at + 3] === 67)) return null;
  const micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction;
  const exact = day * 86_400_000_000 + micros;
  return Number.isSafeInteger(exact) ? BigInt(exact) : BigInt(day) * 86_400_000_000n + BigInt(micros);
}

const million = 1_000_000;

/** Writes a decimal's unscaled value, 128 bits in two's complement, into four words at `place`, the least significant first. False: it is no decimal of this scale. */
export function decimal128(bytes: Uint8Array, from: number, to: number, scale: number, words: Uint32Array, place: number): boolean {
  const negative = bytes[from] === minus;
  let [w0, w1, w2, w3] = [0, 0, 0, 0];
  let [group, power] = [0, 1];
  const push = () => {
    // A word of 32 bits times a million is exact in a double.
    let carry = w0 * power + group;
    w0 = carry >>> 0;
    carry = Math.floor(carry / 2 ** 32) + w1 * power;
    w1 = carry >>> 0;
    carry = Math.floor(carry / 2 ** 32) + w2 * power;
    w2 = carry >>> 0;
    w3 = (Math.floor(carry / 2 ** 32) + w3 * power) >>> 0;
    [group, power] = [0, 1];
  };
  let decimals = -1;
  for (let at = negative || bytes[from] === plus ? from + 1 : from; at < to; at += 1) {
    if (bytes[at] === dot && decimals < 0) {
      decimals = 0;
      continue;
    }
    const digit = bytes[at]! - zero;
    if (digit < 0 || digit > 9) return false;
    if (decimals >= 0 && ++decimals > scale) {
      if (digit !== 0) return false;
      continue;
    }
    group = group * 10 + digit;
    power *= 10;
    if (power === million) push();
  }
  for (let missing = scale - Math.max(decimals, 0); missing > 0; missing -= 1) {
    group *= 10;
    power *= 10;
    if (power === million) push();
  }
  if (power > 1) push();
  if (negative) {
    w0 = (~w0 + 1) >>> 0;
    const carry0 = w0 === 0 ? 1 : 0;
    w1 = (~w1 + carry0) >>> 0;
    const carry1 = carry0 === 1 && w1 === 0 ? 1 : 0;
    w2 = (~w2 + carry1) >>> 0;
    const carry2 = carry1 === 1 && w2 === 0 ? 1 : 0;
    w3 = (~w3 + carry2) >>> 0;
  }
  words[place] = w0;
  words[place + 1] = w1;
  words[place + 2] = w2;
  words[place + 3] = w3;
  return true;
}
