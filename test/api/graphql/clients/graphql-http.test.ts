/** The audit of GraphQL over HTTP: everything a server must and should do. */
import {serverAudits} from 'graphql-http';
import {useApp} from '../../../support/project.ts';

let url: string;

useApp(started => ({url} = started));

const audits = serverAudits({url: () => `${url}/graphql`, fetchFn: fetch});

test('there are audits', () => expect(audits.filter(({name}) => /^(MUST|SHOULD)/.test(name)).length).toBeGreaterThan(30));

test.each(audits.filter(({name}) => /^(MUST|SHOULD)/.test(name)).map(audit => [audit.name, audit] as const))('%s', async (_, audit) => {
  expect(await audit.fn()).toMatchObject({status: 'ok'});
});

test('who does not ask for plain JSON learns by the status that nothing was answered', async () => {
  const post = async (query: string, accept?: string) =>
    (await fetch(`${url}/graphql`, {method: 'POST', headers: {'content-type': 'application/json', ...(accept ? {accept} : {})}, body: JSON.stringify({query})})).status;
  expect([await post('{ nothing }'), await post('{ nothing }', 'application/json'), await post('{ nothing }', 'application/graphql-response+json'), await post('{', 'application/json')]).toEqual([400, 200, 400, 200]);
});
