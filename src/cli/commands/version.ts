import type {CliCommand} from '../command.ts';

export const versionCommand: CliCommand = {
  name: 'version',
  summary: 'show the version',
  async run({out}) {
    const {version} = await import('../../core/version.ts');
    const {node} = process.versions;
    if (out.json) out.document({millrace: version, node});
    else out.write(`millrace ${version} (Node ${node})\n`);
  },
};
