/** What becomes of each request of a batch, by what is known of its images. */
import {MillraceError} from '../core/errors.ts';
import type {Contract} from '../schemas/contract.ts';
import type {AsideRow, WriteBatch, WriteDecision, WriteOutcome} from '../writes/writes.ts';
import type {Patch} from './batch-sql.ts';
import type {RowRule} from './row-rules.ts';

/** What the engine says of an image. */
export interface ImageFacts {
  readonly place: number;
  /** Null where there is no row yet. */
  readonly target: number | null;
  readonly holds: boolean;
  readonly misfit: readonly string[];
  /** Places of the rules that it breaks. */
  readonly broken: readonly number[];
  /** Texts of the key and of each set of columns that are unique, and the rows that have them. */
  readonly tuples: readonly {readonly text: string | null; readonly held: readonly number[]}[];
  /** The key by which it was looked for. */
  readonly sought: string | null;
}

export interface Uniqueness {
  readonly says: string;
  readonly columns: readonly string[];
  readonly fate: RowRule['fate'];
  readonly isKey: boolean;
}

/** An image that is to be written. */
export interface Written {
  readonly place: number;
  readonly target: number | null;
}

export interface Aside extends Written {
  readonly index: number;
  readonly reasons: readonly string[];
}

export interface Decided {
  readonly decision: WriteDecision | {readonly kind: 'pending'; readonly outcome: Omit<WriteOutcome, 'rowIds'>; readonly written: readonly Written[]; readonly deleted: readonly number[]};
  readonly aside: readonly Aside[];
}

interface World {
  readonly dataset: string;
  readonly contract: Contract;
  readonly rules: readonly RowRule[];
  readonly uniques: readonly Uniqueness[];
  readonly references: ReadonlyMap<number, {readonly column: string; readonly references: string}>;
}

/** Decides in the order of the requests. Later ones that touch what an earlier one touches are deferred. */
export function decideBatch(requests: WriteBatch['requests'], patches: readonly Patch[], images: readonly ImageFacts[], world: World): Decided[] {
  const of = Map.groupBy(images, ({place}) => patches[place]!.request);
  const claimedRows = new Set<number>();
  const claimedTuples = new Set<string>();
  return requests.map((request, number) => {
    const own = (of.get(number) ?? []).sort((a, b) => a.place - b.place || (a.target ?? 0) - (b.target ?? 0));
    const isClaimed = own.some(image =>
      (image.target !== null && claimedRows.has(image.target)) || (image.sought !== null && claimedTuples.has(`0 ${image.sought}`)) ||
      (request.write.kind !== 'delete' && image.tuples.some(({text, held}, index) => (text !== null && claimedTuples.has(`${index} ${text}`)) || held.some(row => claimedRows.has(row)))));
    if (isClaimed) return {decision: {kind: 'deferred'}, aside: []};
    const decided = new RequestDecision(request, own, patches, world).decide();
    if (decided.decision.kind === 'pending') {
      const places = new Set(decided.decision.written.map(written => key(written)));
      for (const row of decided.decision.deleted) claimedRows.add(row);
      for (const image of own) {
        if (!places.has(key(image))) continue;
        if (image.target !== null) claimedRows.add(image.target);
        image.tuples.forEach(({text}, index) => text !== null && claimedTuples.add(`${index} ${text}`));
      }
    }
    return decided;
  });
}

const key = ({place, target}: Written): string => `${place} ${target}`;

class RequestDecision {
  private readonly written: Written[] = [];
  private readonly deleted: number[] = [];
  private readonly aside: Aside[] = [];
  private dropped = 0;
  private superseded = 0;
  /** Rows that break a rule for which the request fails, by what the rule says. */
  private readonly failures = new Map<string, {rows: number; readonly example: string; readonly rule: number | null; readonly unique: Uniqueness | null}>();

  constructor(
    private readonly request: WriteBatch['requests'][number],
    private readonly images: readonly ImageFacts[],
    private readonly patches: readonly Patch[],
    private readonly world: World,
  ) {}

  decide(): Decided {
    try {
      this.look();
    } catch (error) {
      if (error instanceof MillraceError) return {decision: {kind: 'refused', error}, aside: []};
      throw error;
    }
    const quarantined = this.aside.map(({index, reasons}): AsideRow => ({index, reasons}));
    const affected = this.written.length + this.deleted.length;
    return {
      decision: {kind: 'pending', outcome: {affected, quarantined, dropped: this.dropped, superseded: this.superseded}, written: this.written, deleted: this.deleted},
      aside: this.aside,
    };
  }

  private look(): void {
    const {write, mostRows} = this.request;
    const {dataset} = this.world;
    if (this.images.length > mostRows) throw new MillraceError('WRITE_TOO_LARGE', {dataset, limit: mostRows});
    if (write.kind === 'delete') {
      this.deleted.push(...new Set(this.images.flatMap(({target}) => (target === null ? [] : [target]))));
      return;
    }
    const misfit = this.images.find(image => image.misfit.length > 0 && (write.kind === 'insert' || image.target !== null));
    if (misfit) throw new MillraceError('ARGUMENT_INVALID', {name: write.kind === 'insert' ? `objects[${this.patches[misfit.place]!.index}].${misfit.misfit[0]}` : misfit.misfit[0], reason: 'the value is none of its column\'s type.'});
    if (write.kind === 'insert') this.insert();
    else this.update();
    this.fail();
  }

  private insert(): void {
    const {write} = this.request;
    const conflict = write.kind === 'insert' ? write.onConflict : undefined;
    const seen = this.world.uniques.map(() => new Set<string>());
    const keyed = this.world.uniques[0]?.isKey === true;
    for (const image of this.images) {
      const text = keyed ? image.tuples[0]!.text : null;
      const isRepeated = text !== null && seen[0]!.has(text);
      if (conflict && isRepeated && conflict.update.length > 0) {
        throw new MillraceError('ARGUMENT_INVALID', {name: 'objects', reason: `several objects have the key ${text}; one mutation can change a row once.`});
      }
      if (conflict && (isRepeated || (image.target !== null && (conflict.update.length === 0 || (conflict.where !== undefined && !image.holds))))) {
        this.superseded++;
        continue;
      }
      const isMet = conflict !== undefined && image.target !== null;
      this.take(image, this.patches[image.place]!.index, seen, isMet ? new Set([image.target!]) : new Set());
    }
  }

  private update(): void {
    const seen = this.world.uniques.map(() => new Set<string>());
    const once = new Map(this.images.flatMap(image => (image.target === null ? [] : [[image.target, image] as const])));
    const own = new Set(once.keys());
    let index = 0;
    for (const image of once.values()) this.take(image, index++, seen, own);
  }

  /** Writes the image unless it breaks something. @param own rows whose values are free, because the request changes them */
  private take(image: ImageFacts, index: number, seen: readonly Set<string>[], own: ReadonlySet<number>): void {
    const {rules, uniques} = this.world;
    const broken = image.broken.map(rule => ({...rules[rule]!, rule, unique: null as Uniqueness | null}));
    const emptied = new Set(broken.flatMap(({fate, empties}) => (fate === 'null_value' && empties !== null ? [empties] : [])));
    const compared = (unique: Uniqueness): boolean => !unique.columns.some(column => emptied.has(column));
    const twice = broken.some(({fate}) => fate === 'quarantine' || fate === 'drop') ? [] : uniques.flatMap((unique, index) => {
      const {text, held} = image.tuples[index]!;
      const isTaken = text !== null && compared(unique) && (seen[index]!.has(text) || held.some(row => !own.has(row)));
      return isTaken ? [{says: unique.says, fate: unique.fate, rule: null, unique}] : [];
    });
    const all = [...broken, ...twice];
    for (const {says, fate, rule, unique} of all) {
      if (fate !== 'fail') continue;
      const known = this.failures.get(says) ?? {rows: 0, example: this.exampleOf(image, index, unique), rule, unique};
      this.failures.set(says, {...known, rows: known.rows + 1});
    }
    if (all.some(({fate}) => fate === 'quarantine')) {
      this.aside.push({place: image.place, target: image.target, index, reasons: all.filter(({fate}) => fate !== 'null_value').map(({says}) => says)});
    } else if (all.some(({fate}) => fate === 'drop')) this.dropped++;
    else {
      image.tuples.forEach(({text}, index) => text !== null && compared(uniques[index]!) && seen[index]!.add(text));
      this.written.push({place: image.place, target: image.target});
    }
  }

  private exampleOf(image: ImageFacts, index: number, unique: Uniqueness | null): string {
    const tuple = unique ? image.tuples[this.world.uniques.indexOf(unique)]!.text : null;
    if (tuple !== null) return (JSON.parse(tuple) as string[]).join(', ');
    return this.request.write.kind === 'insert' ? `objects[${index}]` : `_row_id ${image.target}`;
  }

  private fail(): void {
    const {dataset, references, contract} = this.world;
    if (this.failures.size === 0) return;
    const all = [...this.failures];
    const [, first] = all[0]!;
    const reference = first.rule === null ? undefined : references.get(first.rule);
    if (all.length === 1 && first.unique?.isKey) throw new MillraceError('KEY_VIOLATED', {dataset, key: contract.key!.join(', '), count: first.rows + 1, example: first.example});
    if (all.length === 1 && reference) throw new MillraceError('FOREIGN_KEY_VIOLATED', {dataset, ...reference, count: first.rows, example: first.example});
    throw new MillraceError('CHECK_FAILED', {dataset, checks: all.map(([says, {rows, example}]) => `${rows} row${rows === 1 ? ' breaks' : 's break'} '${says}' (for example ${example})`).join('; ')});
  }
}
