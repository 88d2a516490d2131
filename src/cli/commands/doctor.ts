import {MillraceError} from '../../core/errors.ts';
import type {CliCommand} from '../command.ts';
import {exitCodeOf} from '../failure.ts';

export const doctorCommand: CliCommand<{readonly rebuild?: boolean}> = {
  name: 'doctor',
  summary: 'check the catalog, the files and the checksums of this installation',
  options(command) {
    command.option('--rebuild', "make lost datasets again from the snapshots' manifests");
  },
  async run({out, compose}, _args, {rebuild = false}) {
    const app = await compose('embedded');
    if (!app.doctor) throw new MillraceError('USAGE', {reason: 'This version cannot check itself yet.'});
    await app.lifecycle.start();
    try {
      const findings = await app.doctor({rebuild});
      if (out.json) {
        out.document(findings);
      } else {
        for (const {check, ok, detail, hint} of findings) {
          out.write(`${ok ? out.paint('green', '✓') : out.paint('red', '✗')} ${check}: ${detail}\n${ok || hint === undefined ? '' : `  ${out.paint('cyan', 'hint:')} ${hint}\n`}`);
        }
      }
      return findings.every(({ok}) => ok) ? 0 : exitCodeOf('FILE_DAMAGED');
    } finally {
      await app.lifecycle.stop();
    }
  },
};
