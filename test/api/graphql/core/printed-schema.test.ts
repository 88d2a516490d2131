import {readFile} from 'node:fs/promises';
import {printedGraph} from '../../../../schema/print.ts';

test('schema/schema.graphql is what the graph prints (mend it with: npm run schema)', async () => {
  expect(await readFile('schema/schema.graphql', 'utf8')).toBe(printedGraph());
});

test('types of the core graph are in PascalCase, those of datasets are not', () => {
  const names = [...printedGraph().matchAll(/^(?:type|input|enum|union|interface) (\w+)/gm)].map(([, name]) => name!);
  const lower = names.filter(name => !/^[A-Z][A-Za-z]+$/.test(name));
  expect(lower.filter(name => !/^(airports|flights|late_arrival|order_by|time_unit|time_part|time_span|change_kind)|_comparison_exp$/.test(name))).toEqual([]);
});
