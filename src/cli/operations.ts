/** What kind of operation a GraphQL document asks for, without parsing it in full: the server does that. */

export type OperationKind = 'query' | 'mutation' | 'subscription';

/** Texts and comments first, so that braces and words inside of them count for nothing. */
const token = /"""(?:\\"""|[\s\S])*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|[{}()]|[A-Za-z_]\w*/g;

/**
 * The kind of the operation of a name, or of the only one there is; null when the document has no such operation.
 */
export function operationKind(document: string, name?: string): OperationKind | null {
  const operations: {kind: OperationKind; name: string | null}[] = [];
  let depth = 0;
  let before: string | null = null;
  for (const [text] of document.matchAll(token)) {
    if (text.startsWith('"') || text.startsWith('#')) continue;
    if (text === '{' || text === '(') {
      if (depth === 0 && text === '{' && before === null) operations.push({kind: 'query', name: null});
      depth++;
    } else if (text === '}' || text === ')') {
      depth = Math.max(0, depth - 1);
      // A selection ends a definition; a list of variables does not.
      if (depth === 0 && text === '}') before = null;
    } else if (depth === 0) {
      if (before === null && (text === 'query' || text === 'mutation' || text === 'subscription')) operations.push({kind: text, name: null});
      else if (before === 'query' || before === 'mutation' || before === 'subscription') operations.at(-1)!.name ??= text;
      before = before === null ? text : 'name';
    }
  }
  const found = name === undefined ? operations[0] : operations.find((operation) => operation.name === name);
  return found?.kind ?? null;
}
