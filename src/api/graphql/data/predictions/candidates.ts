import {Given} from '../given.ts';
import type {DatasetShape} from '../shape.ts';

type Shapes = ReadonlyMap<string, DatasetShape>;

/** As many rows are scored alone; where there may be more, whole files are, and what comes out is kept. */
export const mostCandidates = 65_536;

/** Where all is kept, reading it beside as many rows of a table costs more than to score a few anew. */
export const manyRows = 65_536;
export const fewBesideKept = 2_048;

/** What of a condition says nothing about predictions; null where nothing is left. Rows that it leaves out are left out by the whole. */
export function withoutPredictions(where: Given, shape: DatasetShape, shapes: Shapes): Given | null {
  const kept = new Map<string, Given>();
  for (const [name, given] of where.entries()) {
    if (name === '_and') {
      const parts = given.items().map(part => withoutPredictions(part, shape, shapes)).filter(part => part !== null);
      if (parts.length > 0) kept.set(name, Given.list(parts));
    } else if (!mentions(name, given, shape, shapes)) kept.set(name, given);
  }
  return kept.size === 0 ? null : Given.object(kept);
}

function mentions(name: string, given: Given, shape: DatasetShape, shapes: Shapes): boolean {
  const within = (part: Given, of: DatasetShape) => !part.isNull && part.entries().some(([inner, value]) => mentions(inner, value, of, shapes));
  if (name === '_not') return within(given, shape);
  if (name === '_or' || name === '_and') return !given.isNull && given.items().some(part => within(part, shape));
  const member = shape.members.get(name);
  if (member?.kind === 'object' || member?.kind === 'array') return within(given, shapes.get(member.to)!);
  if (member?.kind === 'arrayAggregate') return shapes.get(member.to)!.dataset.predictions.length > 0;
  return member?.kind === 'prediction';
}
