/** The program of one side's process: `node side.mjs <benchmark's URL> <side> <folder> <shared folder>`. Does what its parent tells it, one thing at a time. */
import {peakMemory} from './memory.mjs';

const [url, name, folder, shared] = process.argv.slice(2);
const {sides} = await import(url);
const side = await sides[name](folder, shared);

const actions = {
  run: async (round) => {
    const start = performance.now();
    const told = (await side.run(round)) ?? {};
    return {milliseconds: performance.now() - start, ...told};
  },
  stop: async () => {
    const bytes = peakMemory(process.pid);
    await side.stop?.();
    return {peakMemory: bytes};
  },
};

process.on('message', async ({action, round}) => {
  try {
    process.send({answer: await actions[action](round)});
    if (action === 'stop') process.disconnect();
  } catch (error) {
    process.send({error: error.stack ?? String(error)});
  }
});
process.send({answer: {url: side.url}});
