import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {pythonPath} from '../support/tools.ts';

test('training the sample model again gives the committed one', async () => {
  const {stdout} = await promisify(execFile)(pythonPath(), ['jobs/models/late_arrival/train.py', '--check']);
  expect(stdout).toContain('greatest difference');
}, 240_000);
