import {mkdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {Catalog} from '../catalog/catalog.ts';
import {MillraceError} from '../core/errors.ts';
import {newId} from '../core/ids.ts';
import type {Viewer} from '../core/viewer.ts';
import type {Engine, RawFiles} from '../engines/engine.ts';
import {identifier} from '../engines/sql-text.ts';
import type {Pipelines} from '../pipelines/pipeline.ts';
import {parseContract} from '../schemas/contract-shape.ts';
import type {Contract} from '../schemas/contract.ts';
import {contractColumns, keyCandidates, suggestContract} from '../schemas/detection/suggest-contract.ts';
import type {Field, Schema} from '../schemas/schema.ts';
import type {Reading} from '../schemas/detection/infer-column.ts';
import type {Sources, SourceSpec} from '../sources/source.ts';
import type {Datasets, Warehouse} from '../warehouse/warehouse.ts';
import {overridden} from './overridden.ts';
import type {AcceptSchema, ProposalRecord, Proposals} from './proposals.ts';

/** Days a proposal is kept. */
export const proposalDays = 7;

export interface ProposalServices {
  readonly catalog: Catalog;
  readonly engine: Pick<Engine, 'sniff' | 'rows'>;
  readonly sources: Sources;
  readonly pipelines: Pick<Pipelines, 'ingest'>;
  readonly warehouse: Pick<Warehouse, 'schemaFor'>;
  readonly datasets: Pick<Datasets, 'get' | 'setContract'>;
  readonly scratchFolder: string;
}

export function createProposals({catalog, engine, sources, pipelines, warehouse, datasets, scratchFolder}: ProposalServices): Proposals {
  return {
    async detect(viewer: Viewer, source: SourceSpec, signal?: AbortSignal): Promise<ProposalRecord> {
      const scratch = join(scratchFolder, newId());
      await mkdir(scratch, {recursive: true});
      try {
        const opened = await sources.open(source, scratch);
        try {
          const {raw, dialect, ...detection} = await engine.sniff(opened.raw, {signal});
          const unique = await firstUnique(engine, raw, keyCandidates(detection.schema, detection.profile, detection.rowCount), signal);
          // What changed meanwhile was not one file.
          await opened.unchanged();
          const {text} = opened;
          const found = {...detection, dialect: {...dialect, ...(text ? {encoding: text.encoding, evidence: [...text.evidence, ...dialect.evidence]} : {})}};
          const proposal = {
            id: newId(), source, files: opened.files.map(({name, sha256, bytes}) => ({name, sha256, bytes})), detection: found,
            options: {...raw.options, columns: undefined, encoding: text && text.encoding !== 'utf-8' ? text.encoding : undefined},
            readings: readings(raw), suggestedContract: suggestContract(detection.schema, detection.profile, detection.rowCount, readings(raw), unique?.name),
          };
          return await catalog.transaction(stores => stores.proposals.add(proposal, viewer.name));
        } finally {
          await opened.close();
        }
      } finally {
        await rm(scratch, {recursive: true, force: true});
      }
    },

    async accept(viewer: Viewer, {proposal: id, dataset, overrides = {}, contract: given, ingest, mode = 'overwrite', idempotencyKey}: AcceptSchema) {
      const proposal = await catalog.read(stores => stores.proposals.byId(id));
      if (!proposal) throw new MillraceError('PROPOSAL_NOT_FOUND', {id, days: proposalDays});
      const {schema, readings} = overridden(proposal, overrides);
      const existing = await catalog.read(stores => stores.datasets.byName(dataset));
      const rules: Contract = given !== undefined && given !== null ? parseContract(dataset, given)
        : existing?.contract ?? suggestContract(schema, proposal.detection.profile, proposal.detection.rowCount, readings, keyNow(proposal, schema));
      const contract = parseContract(dataset, {...rules, columns: contractColumns(schema, readings)});
      await warehouse.schemaFor(dataset, schema, mode, 'main', {contract});
      if (!ingest) {
        await datasets.setContract(viewer, dataset, contract);
        return {dataset: await datasets.get(viewer, dataset), run: null};
      }
      // The contract comes true with the rows: a run that fails changes nothing.
      const run = await pipelines.ingest(viewer, {source: {...proposal.source, options: proposal.options}, into: dataset, mode, contract}, {}, idempotencyKey);
      return {dataset: existing ? await datasets.get(viewer, dataset) : null, run};
    },
  };
}

/** How texts are read; nothing where they are typed already. */
const readings = ({options: {columns = []}}: RawFiles): readonly Reading[] => columns.map(({name: _, ...reading}) => reading);

/** The first of some columns that has no value twice. */
async function firstUnique(engine: Pick<Engine, 'rows'>, raw: RawFiles, candidates: readonly Field[], signal: AbortSignal | undefined): Promise<Field | undefined> {
  for (const field of candidates) {
    const [row] = await engine.rows({sql: `SELECT count(*) = count(DISTINCT ${identifier(field.sourceName ?? field.name)}) AS yes FROM raw`, relations: {raw}}, {signal});
    if (row!.yes === true) return field;
  }
  return undefined;
}

/** The name that the key which was suggested has now. */
function keyNow({detection, suggestedContract: {key}}: ProposalRecord, {fields}: Schema): string | undefined {
  const index = detection.schema.fields.findIndex(field => field.name === key?.[0]);
  return fields[index]?.name;
}
