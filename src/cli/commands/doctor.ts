import type {Finding, Rebuilt} from '../../maintenance/maintenance.ts';
import type {CliCommand, Context} from '../command.ts';
import {ask} from '../graph-client.ts';
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
  async run(context, _args, {deep = false, rebuild = false}) {
    const {out} = context;
    const rebuilt = rebuild ? await (await context.compose('embedded')).maintenance.rebuild() : undefined;
    const findings = await found(context, deep);
    if (out.json) {
      out.document({rebuilt, findings});
    } else {
      if (rebuilt) showRebuilt(out, rebuilt);
      for (const finding of findings) showFinding(out, finding);
    }
    return findings.some(({status}) => status === 'failed') ? exitCodeOf('FILE_DAMAGED') : 0;
  },
};

export const document = `query Doctor($deep: Boolean!) { doctor(deep: $deep) { check status detail hint } }`;

/** By the server where one runs, because it alone may read the embedded catalog; else here. */
async function found({server, compose}: Context, deep: boolean): Promise<readonly Finding[]> {
  const client = await server();
  if (!client) return (await compose('embedded')).maintenance.doctor({deep});
  try {
    const {doctor} = await ask<{doctor: (Omit<Finding, 'status'> & {status: string})[]}>(client, document, {deep});
    return doctor.map(finding => ({...finding, status: finding.status.toLowerCase() as Finding['status']}));
  } finally {
    await client.close();
  }
}

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
