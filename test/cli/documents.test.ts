import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {buildSchema, parse, validate} from 'graphql';
import {root} from '../rules/sources.ts';

const folder = join(root, 'src/cli');

/** Every exported text of the commands that is a GraphQL document, by file and name. */
async function documents(): Promise<[name: string, text: string][]> {
  const files = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter((path) => path.endsWith('.ts')).toSorted();
  const found: [string, string][] = [];
  for (const file of files) {
    const exported = (await import(join(folder, file))) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported)) {
      if (typeof value === 'string' && /^\s*(query|mutation|subscription)\b/.test(value)) found.push([`${file} ${name}`, value]);
    }
  }
  return found;
}

test('every document of the commands is valid against schema.graphql', async () => {
  const schema = buildSchema(readFileSync(join(root, 'schema/schema.graphql'), 'utf8'));
  const found = await documents();
  expect(found.length).toBeGreaterThan(15);
  const problems = found.flatMap(([name, text]) => validate(schema, parse(text)).map(({message}) => `${name}: ${message}`));
  expect(problems).toEqual([]);
});

test('every document that a command asks for is exported, so that the test above sees it', () => {
  const files = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter((path) => path.endsWith('.ts'));
  const hidden = files.flatMap((file) => [...readFileSync(join(folder, file), 'utf8').matchAll(/^.*['"`](query|mutation|subscription) \w+.*$/gm)].map(([line]) => `${file}: ${line}`));
  expect(hidden.filter((line) => !/: export const \w*[dD]ocument = /.test(line))).toEqual([]);
});
