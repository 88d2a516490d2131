import type {FilterScope} from './filter.ts';
import type {RelationUse} from './relation.ts';
import type {Relationship} from './shape.ts';

/** Joins to the rows that object relationships lead to, each once, for expressions over them. */
export class RelatedJoins {
  private readonly joined = new Map<string, {readonly use: RelationUse; readonly on: string}>();

  constructor(private readonly scope: FilterScope) {}

  /** The relation at the end of a path of relationships. */
  to(path: string, from: RelationUse, {to, column, toColumn}: Relationship): RelationUse {
    let found = this.joined.get(path);
    if (!found) {
      const use = this.scope.use(to);
      this.joined.set(path, (found = {use, on: `${use.column(toColumn)} = ${from.column(column)}`}));
    }
    return found.use;
  }

  /** When everything has been asked of the relations. */
  sql(): string[] {
    return [...this.joined.values()].map(({use, on}) => `LEFT JOIN ${use.sql()} ON ${on}`);
  }
}
