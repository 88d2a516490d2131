import {spawnSync} from 'node:child_process';
import {mkdir, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {backup} from '../../src/maintenance/backup.ts';
import {restore} from '../../src/maintenance/restore.ts';
import {openWorld} from '../support/warehouse-world.ts';
import type {WarehouseWorld} from '../support/warehouse-world.ts';

const mayMount = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
// A disk of our own can be made by root only: `sudo npx jest test/warehouse/disk-full`.
const describeAsRoot = mayMount ? describe : describe.skip;

describeAsRoot('a disk that fills in mid-write', () => {
  let world: WarehouseWorld;
  const mounts: string[] = [];
  /** A disk of some megabytes. */
  const mount = (path: string, megabytes: number) => {
    const {status, stderr} = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], {encoding: 'utf8'});
    if (status !== 0) throw new Error(stderr);
    mounts.push(path);
  };

  beforeAll(async () => {
    world = await openWorld();
    mount(world.places.warehouse, 4);
  });
  afterAll(async () => {
    for (const path of mounts) spawnSync('umount', ['--lazy', path]);
    await world.close();
  });

  test('fails with its code, leaves the last snapshot as it was, and frees what it took', async () => {
    const before = await world.write('numbers', 'select range as a from range(1000)');
    for (const mode of ['append', 'overwrite'] as const) {
      await expect(world.write('numbers', 'select range * 7919 % 1000003 as a from range(4000000)', {mode})).rejects.toMatchObject({code: 'DISK_FULL'});
    }
    expect((await world.warehouse.resolve('numbers')).id).toBe(before.id);
    expect(await world.rows('numbers', 'select count(*) as n, sum(a)::bigint as s from numbers')).toEqual([{n: 1000n, s: 499500n}]);
    expect(await readdir(world.warehouse.pathOf('staging'))).toEqual([]);
    expect(await readdir(world.warehouse.pathOf('data/numbers'))).toEqual([before.id]);
    expect(await world.write('numbers', 'select 1000 as a', {mode: 'append'})).toMatchObject({rowCount: 1001n});
  });

  test('a backup that finds no space is none', async () => {
    await world.write('wide', 'select random() as a from range(250000)');
    const folder = join(world.folder, 'small');
    await mkdir(folder);
    mount(folder, 1);
    const target = join(folder, 'backup');
    await expect(backup(world.places, target)).rejects.toMatchObject({code: 'DISK_FULL'});
    await expect(restore(world.places, target)).rejects.toMatchObject({code: 'BACKUP_INVALID'});
  });
});
