import type {CliCommand} from '../command.ts';

export const configCommand: CliCommand = {
  name: 'config',
  summary: 'show each setting, its value and where that comes from; secrets are masked',
  async run({out, config}) {
    const {describeConfig} = await import('../../core/config.ts');
    const loaded = await config();
    out.warn(loaded.warnings);
    const settings = describeConfig(loaded);
    out.rows(out.json ? settings : settings.map((setting) => ({...setting, value: shown(setting.value)})), [
      {title: 'SETTING', value: ({key}) => key},
      {title: 'VALUE', value: ({value}) => value as string},
      {title: 'FROM', value: ({source}) => source},
      {title: 'VARIABLE', value: ({variable}) => variable},
    ], '');
  },
};

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  return value === null ? '(none)' : String(value);
}
