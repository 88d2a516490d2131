/** The console as a user meets it: in a real browser, over the real application. Needs dist/console (`npm run build`). */
import {setTimeout as delay} from 'node:timers/promises';
import {chromium} from 'playwright-core';
import type {Browser, Page} from 'playwright-core';
import {startSample} from '../../support/sample-project.ts';
import type {SampleApp} from '../../support/sample-project.ts';
import {chromiumPath} from '../../support/tools.ts';

let sample: SampleApp | undefined;
let browser: Browser | undefined;
let page: Page;
const outside: string[] = [];
const complaints: string[] = [];

beforeAll(async () => {
  sample = await startSample();
  // Chromium's own sandbox refuses to run as root.
  browser = await chromium.launch({executablePath: chromiumPath(), args: process.getuid?.() === 0 ? ['--no-sandbox'] : []});
  // Tall, because the editor only holds the lines that can be seen.
  page = await browser.newPage({viewport: {width: 1400, height: 2000}});
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).host !== new URL(sample!.url).host) outside.push(request.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(sample.url);
  // The editors are loaded after the page.
  await page.locator('.graphiql-query-editor', {hasText: 'query Discover'}).waitFor({timeout: 60_000});
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await sample?.stop();
}, 60_000);

/** Opens a tab and runs it; answers what is shown once it has `expected` in it. */
async function run(tab: string, expected: RegExp): Promise<string> {
  await page.locator('.graphiql-tab-button', {hasText: tab}).click();
  await page.locator('.graphiql-execute-button').click();
  for (const deadline = Date.now() + 60_000; ; await delay(100)) {
    const shown = (await page.locator('.result-window').innerText()).replaceAll('\u00a0', ' ');
    if (expected.test(shown)) return shown;
    if (Date.now() > deadline) throw new Error(`${String(expected)} did not appear; what is shown is:\n${shown}`);
  }
}

test('the tabs tell the story', async () => {
  const tabs = await page.locator('.graphiql-tab-button').allInnerTexts();
  expect(tabs.map((tab) => tab.trim())).toEqual(['Discover', 'Rows', 'Aggregate', 'Groups', 'Predict', 'Live', 'Refused', 'StartRun', 'WatchRun', 'Lineage']);
}, 60_000);

test('Rows shows rows and predictions', async () => {
  const shown = await run('Rows', /"probability": 0\.\d+/);
  expect(shown).toContain('"data": {');
  expect(shown).toMatch(/"delay": -?\d+/);
  expect(shown).toContain('Hartsfield');
}, 60_000);

test('StartRun, then WatchRun: the events of the run come in, newest first', async () => {
  await run('StartRun', /"status": "QUEUED"/);
  const shown = await run('WatchRun', /"RunFinished"/);
  expect(shown).toMatch(/"received": \d+/);
  expect(shown.indexOf('"RunFinished"')).toBeLessThan(shown.indexOf('"StepFinished"'));
  expect(shown).toContain('"SUCCEEDED"');
}, 120_000);

test('nothing was asked of another host, and the browser had nothing to complain of', () => {
  expect(outside).toEqual([]);
  expect(complaints).toEqual([]);
});
