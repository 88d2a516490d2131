import {execFile} from 'node:child_process';
import {mkdtemp, readFile, readdir, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {gunzipSync} from 'node:zlib';

const script = fileURLToPath(new URL('../../../scripts/build-console.mjs', import.meta.url));

test('the build makes a page whose every file is there, compressed, and on no other host', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'millrace-build-')), 'console');
  try {
    await promisify(execFile)(process.execPath, [script, folder]);
    const page = await readFile(join(folder, 'index.html'), 'utf8');
    const files = await readdir(join(folder, 'assets'));
    const named = [...page.matchAll(/(?:src|href)="assets\/([^"]+)"/g)].map(([, file]) => file!);
    expect(named.filter((file) => file.endsWith('.js'))).toHaveLength(1);
    expect(named.filter((file) => file.endsWith('.css')).length).toBeGreaterThan(0);
    expect(files).toEqual(expect.arrayContaining(named));
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(page).toContain('<!-- tabs -->');

    const scripts = files.filter((file) => file.endsWith('.js'));
    const code = (await Promise.all(scripts.filter((file) => !file.includes('.worker-')).map((file) => readFile(join(folder, 'assets', file), 'utf8')))).join('\n');
    for (const worker of ['editor.worker', 'json.worker', 'graphql.worker']) {
      const [file] = new RegExp(`${worker.replace('.', '\\.')}-[A-Z0-9]+\\.js`).exec(code) ?? [];
      expect(files).toContain(file);
      // Workers are classic scripts: nothing is imported by them.
      expect(await readFile(join(folder, 'assets', file!), 'utf8')).not.toMatch(/^(?:import|export)\b/m);
    }
    for (const file of files.filter((name) => /\.(?:js|css)$/.test(name))) {
      const [content, zipped] = await Promise.all([readFile(join(folder, 'assets', file)), readFile(join(folder, 'assets', `${file}.gz`))]);
      expect(gunzipSync(zipped).equals(content)).toBe(true);
    }
    for (const file of files.filter((name) => name.endsWith('.css'))) {
      expect(await readFile(join(folder, 'assets', file), 'utf8')).not.toMatch(/url\(["']?(?:https?:)?\/\//);
    }
    const sizes = await Promise.all(files.filter((name) => name.endsWith('.gz')).map(async (name) => (await stat(join(folder, 'assets', name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(3.5 * 2 ** 20);
    await expect(stat(`${folder}.building`)).rejects.toMatchObject({code: 'ENOENT'});
  } finally {
    await rm(join(folder, '..'), {recursive: true});
  }
});
