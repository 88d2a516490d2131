import type {Finding, Rebuilt} from '../app.ts';
import type {CliCommand, Context} from '../command.ts';
import {exitCodeOf} from '../failure.ts';
import {count} from '../units.ts';

interface DoctorOptions {
  readonly deep?: boolean;
  readonly rebuild?: boolean;
}

export const doctorCommand: CliCommand<DoctorOptions> = {
  name: 'doctor',
  summary: 'check the catalog, the files and their checksums',
  options(command) {
    command
      .option('--deep', 'every snapshot, not only the newest of each dataset')
      .option('--rebuild', 'first make lost datasets again from the manifests beside their files, into an empty catalog');
  },
  async run({out, compose}, _args, {deep = false, rebuild = false}) {
    const {maintenance} = await compose('embedded');
    const rebuilt = rebuild ? await maintenance.rebuild() : undefined;
    const findings = await maintenance.doctor({deep});
    if (out.json) {
      out.document({rebuilt, findings});
    } else {
      if (rebuilt) showRebuilt(out, rebuilt);
      for (const finding of findings) showFinding(out, finding);
    }
    return findings.some(({status}) => status === 'failed') ? exitCodeOf('FILE_DAMAGED') : 0;
  },
};

function showRebuilt(out: Context['out'], {datasets, snapshots, skipped}: Rebuilt): void {
  out.write(`Made again: ${count(datasets)} datasets with ${count(snapshots)} snapshots\n`);
  for (const reason of skipped) out.write(`  left out: ${reason}\n`);
}

const marks = {ok: ['✓', 'green'], warn: ['!', 'yellow'], failed: ['✗', 'red']} as const;

function showFinding(out: Context['out'], {check, status, detail, hint}: Finding): void {
  const [mark, style] = marks[status];
  out.write(`${out.paint(style, mark)} ${check}: ${detail}\n`);
  if (hint !== null) out.write(`  ${out.paint('cyan', 'hint:')} ${hint}\n`);
}
