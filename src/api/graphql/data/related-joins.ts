import type {FilterScope} from './filter.ts';
import type {RelationUse} from './relation.ts';
import {linked} from './shape.ts';
import type {Relationship} from './shape.ts';

/** Joins to the rows that object relationships lead to, each once, for expressions over them. */
export class RelatedJoins {
  private readonly joined = new Map<string, {readonly use: RelationUse; readonly on: string}>();

  constructor(private readonly scope: FilterScope) {}

  /** The relation at the end of a path of relationships. */
  to(path: string, from: RelationUse, relationship: Relationship): RelationUse {
    let found = this.joined.get(path);
    if (!found) {
      const use = this.scope.related(relationship);
      this.joined.set(path, (found = {use, on: linked(relationship, column => from.column(column), column => use.column(column))}));
    }
    return found.use;
  }

  /** When everything has been asked of the relations. */
  sql(): string[] {
    return [...this.joined.values()].map(({use, on}) => `LEFT JOIN ${use.sql()} ON ${on}`);
  }
}
