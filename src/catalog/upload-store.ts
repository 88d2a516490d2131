import type {UploadRecord, UploadStore} from './catalog.ts';
import type {Connection} from './database.ts';
import {isUuid} from './dataset-store.ts';

export class PrismaUploadStore implements UploadStore {
  constructor(private readonly db: Connection) {}

  async add(upload: UploadRecord): Promise<void> {
    await this.db.upload.create({data: upload});
  }

  async byId(id: string): Promise<UploadRecord | null> {
    return isUuid(id) ? this.db.upload.findUnique({where: {id}}) : null;
  }

  async paths(): Promise<Set<string>> {
    return new Set((await this.db.upload.findMany({select: {path: true}})).map(({path}) => path));
  }

  async expire(days: number): Promise<UploadRecord[]> {
    return this.db.$queryRaw<UploadRecord[]>`
      DELETE FROM upload WHERE created_at < clock_timestamp() - ${days} * interval '1 day' RETURNING id::text, name, path, bytes, sha256`;
  }

  async old(days: number): Promise<{count: number; bytes: bigint}> {
    const [row] = await this.db.$queryRaw<[{count: number; bytes: bigint}]>`
      SELECT count(*)::int AS count, coalesce(sum(bytes), 0)::bigint AS bytes FROM upload WHERE created_at < clock_timestamp() - ${days} * interval '1 day'`;
    return row;
  }
}
