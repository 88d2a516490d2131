/** Tables and the widths of text on a terminal. */

export interface TableColumn<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | null | undefined;
  /** Numbers are aligned to the right; so are texts of columns that say so. */
  readonly align?: 'left' | 'right';
}

export interface TableOptions {
  /** The terminal's; a cell too wide for it is cut. Default: none is. */
  readonly width?: number;
  /** Paints the titles. */
  readonly title?: (text: string) => string;
}

const gap = '  ';
const narrowest = 8;

/** Rows below titles, columns two spaces apart; each line ends with a newline. The widest columns give way first where space is short. */
export function table<Row>(columns: readonly TableColumn<Row>[], rows: readonly Row[], options: TableOptions = {}): string {
  const {width = Number.POSITIVE_INFINITY, title = (text) => text} = options;
  const cells = rows.map((row) => columns.map((column) => oneLine(column.value(row))));
  const right = columns.map((column, index) => column.align === 'right' || (column.align === undefined && rows.length > 0 && rows.every((row) => isNumber(column.value(row))) && cells.some((line) => line[index] !== '')));
  const widths = columns.map((column, index) => Math.max(widthOf(column.title), ...cells.map((line) => widthOf(line[index]!))));
  narrow(widths, width - gap.length * (columns.length - 1));
  const line = (texts: readonly string[], paint = (text: string) => text) =>
    `${texts.map((text, index) => paint(fit(text, widths[index]!, right[index]!))).join(gap).trimEnd()}\n`;
  return line(columns.map((column) => column.title), title) + cells.map((texts) => line(texts)).join('');
}

/** `name  value` lines. */
export function facts(pairs: readonly (readonly [name: string, value: string | number | null | undefined])[], paint = (text: string) => text): string {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  return shown.map(([name, value]) => `${paint(fit(name, width, false))}${gap}${oneLine(value)}\n`).join('');
}

/** Cells a text takes on a terminal: wide East Asian characters and emoji take two, marks on others none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += /\p{Mark}|\p{Cf}/u.test(character) ? 0 : isWide(character) ? 2 : 1;
  return width;
}

/** Exactly `width` cells: filled with spaces, or cut with an ellipsis. */
export function fit(text: string, width: number, right: boolean): string {
  const size = widthOf(text);
  if (size <= width) return right ? ' '.repeat(width - size) + text : text + ' '.repeat(width - size);
  let cut = '';
  let used = 0;
  for (const character of text) {
    const next = widthOf(character);
    if (used + next > width - 1) break;
    cut += character;
    used += next;
  }
  return `${cut}…${' '.repeat(Math.max(0, width - used - 1))}`;
}

/** Takes from the widest until all fit, or all are as narrow as they may be. */
function narrow(widths: number[], space: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) - space;
  while (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= narrowest) return;
    widths[widest]!--;
    excess--;
  }
}

/** What a cell says, without what would break its line or speak to the terminal. */
function oneLine(value: string | number | null | undefined): string {
  return value === null || value === undefined ? '' : String(value).replace(/\s*\n\s*/g, ' ').replace(/\p{Cc}/gu, '�');
}

const isNumber = (value: unknown) => value === null || value === undefined || typeof value === 'number';

const isWide = (character: string) => /[ᄀ-ᅟ⺀-꓏가-힣豈-﫿︰-﹯＀-｠￠-￦]|\p{Emoji_Presentation}/u.test(character);
