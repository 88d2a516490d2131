import {type OperationDefinitionNode, Kind, parse} from 'graphql';
import {consoleTabs} from '../../../src/api/console/tabs.ts';

test.each(consoleTabs.map((tab) => [tab.title, tab] as const))('%s is one named operation with its variables', (title, {query, variables = {}}) => {
  const operations = parse(query).definitions.filter((definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION);
  expect(operations.map(({name}) => name?.value)).toEqual([title]);
  expect((operations[0]!.variableDefinitions ?? []).map(({variable}) => variable.name.value).sort()).toEqual(Object.keys(variables).sort());
  // Wider lines lie under the buttons of the editor.
  for (const line of query.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
});

test('titles differ', () => expect(new Set(consoleTabs.map(({title}) => title)).size).toBe(consoleTabs.length));
