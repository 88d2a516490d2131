/**
 * `npm run bench [-- name…] [--write]`: measures, prints a table, and with --write puts it into README.md.
 * Every benchmark is a file beside this one; each measures Millrace and what it is compared with in one run. What `run` answers is the
 * lines of the table, or an object with these and a text to follow it.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {availableParallelism, loadavg, totalmem} from 'node:os';
import {parseArgs} from 'node:util';
import {ensureBuilt} from '../scripts/lib/build.mjs';

const names = ['ingest', 'detect', 'bookkeeping', 'predict', 'prediction-filter', 'start', 'hot-swap', 'rows', 'groups', 'relations', 'event-loop', 'guarded', 'messy', 'writes', 'arrow', 'spark-arrow', 'maintained', 'live', 'hostile', 'by-key', 'engines'];

const {values, positionals} = parseArgs({allowPositionals: true, options: {write: {type: 'boolean'}, 'no-build': {type: 'boolean'}, gigabytes: {type: 'string'}, large: {type: 'boolean'}}});
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`There is no benchmark '${unknown}'; there are ${names.join(', ')}.`);
  process.exit(2);
}
if (!values['no-build']) await ensureBuilt();

const results = [];
for (const name of positionals.length > 0 ? positionals : names) {
  const benchmark = await import(`./${name}.mjs`);
  const progress = (/** @type {string} */ text) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${name}: ${text}`);
  };
  progress('starting');
  const load = loadavg()[0];
  const answer = await benchmark.run({progress, gigabytes: values.gigabytes, large: values.large});
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const result = {name, title: benchmark.title, conditions: benchmark.conditions, lines: answer.lines ?? answer, text: answer.text, load};
  results.push(result);
  console.log(`\n${section(result)}`);
}

const missed = results.flatMap(({name, lines}) => lines.filter((line) => line.met === false).map((line) => `${name}: ${line.measure}`));
console.log(missed.length === 0 ? '\nAll aims are met.' : `\nMissed: ${missed.join('; ')}.`);
if (values.write) write();

function section({name, title, conditions, lines, text}) {
  const rows = lines.map(({measure, value, aim, met}) => `| ${measure} | ${value} | ${aim} | ${met === null ? '' : met ? 'yes' : '**no**'} |`);
  return [`### ${title}`, '', conditions, `Alone: \`npm run bench -- ${name}\``, '', '| | median (least – most) | aim | met |', '|---|---|---|---|', ...rows, ...(text ? ['', text] : [])].join('\n');
}

/** Replaces the sections that were measured; the others stay as they were. */
function write() {
  const file = new URL('README.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const machine = `${availableParallelism()} processors, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
  const updated = results.reduce((content, result) => {
    const mark = (/** @type {string} */ end) => `<!-- ${end}${result.name} -->`;
    const body = `${mark('')}\n${section(result)}\n\nMeasured on ${new Date().toISOString().slice(0, 10)} on ${machine}; load average before it ${result.load.toFixed(1)}.\n${mark('/')}`;
    const place = new RegExp(`${mark('')}[\\s\\S]*${mark('/')}`);
    return place.test(content) ? content.replace(place, () => body) : `${content.trimEnd()}\n\n${body}\n`;
  }, text);
  writeFileSync(file, updated);
}
