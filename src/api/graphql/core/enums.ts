/** The enums of the core graph: upper case in GraphQL, the ports' own words as values. */
import {registerEnumType} from 'type-graphql';

/** Members `succeeded` etc. as `SUCCEEDED: 'succeeded'`. */
function upperCased<const T extends string>(words: readonly T[]): {[K in T as Uppercase<K>]: K} {
  return Object.fromEntries(words.map(word => [word.toUpperCase(), word])) as {[K in T as Uppercase<K>]: K};
}

export const RunStatusEnum = upperCased(['queued', 'waiting', 'running', 'succeeded', 'failed', 'cancelled']);
registerEnumType(RunStatusEnum, {name: 'RunStatus', description: 'QUEUED or WAITING, then RUNNING, then one of the others for good.'});

export const BackfillStatusEnum = upperCased(['running', 'succeeded', 'failed', 'cancelled']);
registerEnumType(BackfillStatusEnum, {name: 'BackfillStatus', description: 'FAILED: no partition waits any more, and some have not succeeded.'});

export const BackfillGrainEnum = upperCased(['day', 'month']);
registerEnumType(BackfillGrainEnum, {name: 'BackfillGrain'});

export const StepStatusEnum = upperCased(['pending', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped']);
registerEnumType(StepStatusEnum, {name: 'StepStatus', description: 'PENDING: other steps come first. SKIPPED: a step it needs did not succeed.'});

export const StepKindEnum = upperCased(['ingest', 'sql', 'predict', 'replay', 'publish']);
registerEnumType(StepKindEnum, {name: 'StepKind'});

export const EngineNameEnum = upperCased(['duckdb', 'spark', 'hive']);
registerEnumType(EngineNameEnum, {name: 'EngineName', description: 'DUCKDB is embedded; the others are past this machine.'});

export const EngineChoiceEnum = upperCased(['duckdb', 'spark', 'hive', 'auto']);
registerEnumType(EngineChoiceEnum, {name: 'EngineChoice', description: 'AUTO: by the bytes that a step reads.'});

export const EngineHealthEnum = upperCased(['ready', 'unreachable', 'refused', 'unsupported', 'unset']);
registerEnumType(EngineHealthEnum, {name: 'EngineHealth', description: 'UNREACHABLE: nothing answers. REFUSED: it wants other credentials. UNSUPPORTED: something else, or another version, answers. UNSET: no address is configured.'});

export const StepActionEnum = upperCased(['execute', 'reuse']);
registerEnumType(StepActionEnum, {name: 'StepAction'});

export const OperationEnum = upperCased(['append', 'overwrite', 'overwrite_partitions', 'merge', 'delete', 'replace']);
registerEnumType(OperationEnum, {name: 'SnapshotOperation', description: 'APPEND: the rows of the parent and more. OVERWRITE: only these. OVERWRITE_PARTITIONS: only these in the partitions they are of. MERGE: these instead of those of the same key. DELETE: fewer rows. REPLACE: the same rows in other files.'});

export const IngestModeEnum = upperCased(['overwrite', 'append', 'merge', 'delete']);
registerEnumType(IngestModeEnum, {name: 'IngestMode', description: 'OVERWRITE: only these rows stay. APPEND: they are added. MERGE: they replace those of the same key. DELETE: those of the same key go.'});

export const FormatEnum = upperCased(['csv', 'tsv', 'json', 'ndjson', 'parquet', 'arrow']);
registerEnumType(FormatEnum, {name: 'SourceFormat'});

export const BindingStateEnum = upperCased(['served', 'features_missing', 'disabled', 'not_deployed']);
registerEnumType(BindingStateEnum, {name: 'BindingState', description: 'Whether a model is a field of the rows of a dataset, and if not, why.'});

export const ParamTypeEnum = upperCased(['string', 'int', 'float', 'bool', 'date']);
registerEnumType(ParamTypeEnum, {name: 'ParamType'});

export const CatchUpEnum = upperCased(['none', 'last', 'all']);
registerEnumType(CatchUpEnum, {name: 'CatchUp', description: 'Of times that passed while no server ran: NONE is made up for, the LAST is, ALL are (the newest 100).'});

export const TriggerModeEnum = upperCased(['any', 'all']);
registerEnumType(TriggerModeEnum, {name: 'TriggerMode', description: 'Whether ANY of the datasets or ALL of them must have a new snapshot.'});

export const WebhookTopicEnum = upperCased(['run_failed', 'freshness', 'quarantine']);
registerEnumType(WebhookTopicEnum, {name: 'WebhookTopic', description: 'RUN_FAILED: a run ended as failed. FRESHNESS: a dataset became older than its contract allows. QUARANTINE: bad rows were put aside.'});

export const DeliveryStateEnum = upperCased(['pending', 'delivered', 'dead']);
registerEnumType(DeliveryStateEnum, {name: 'DeliveryState', description: 'PENDING: to be sent, or sent again. DELIVERED: the receiver accepted it. DEAD: given up; it can be sent again.'});

export const LogLevelEnum = upperCased(['info', 'warn', 'error']);
registerEnumType(LogLevelEnum, {name: 'LogLevel'});

export const KeptByEnum = upperCased(['newest', 'rule', 'pin', 'model', 'run']);
registerEnumType(KeptByEnum, {name: 'KeptBy', description: 'NEWEST: of the dataset. RULE: its retention. PIN: somebody holds it. MODEL: a version was trained on it. RUN: one under way has read or made it.'});

export const SelectedByEnum = upperCased(['key', 'row_ids', 'where']);
registerEnumType(SelectedByEnum, {name: 'SelectedBy', description: 'How rows to erase were said.'});

export const EdgeKindEnum = upperCased(['read', 'made', 'trained', 'scored']);
registerEnumType(EdgeKindEnum, {name: 'LineageEdgeKind', description: 'READ: what `to` was made from. MADE: the run that made it. TRAINED: what a version was trained on. SCORED: whose predictions are in it.'});

export const FindingStatusEnum = upperCased(['ok', 'warn', 'failed']);
registerEnumType(FindingStatusEnum, {name: 'FindingStatus'});

export const ChangeKindEnum = upperCased(['added', 'removed', 'renamed', 'widened', 'narrowed', 'retyped', 'made_nullable', 'made_not_null']);
registerEnumType(ChangeKindEnum, {name: 'SchemaChangeKind', description: 'WIDENED: every old value is a value of the new type. NARROWED: every new value is one of the old type. RETYPED: neither.'});

export const BreakageKindEnum = upperCased(['pipeline', 'model', 'relationship']);
registerEnumType(BreakageKindEnum, {name: 'BreakageKind'});

export const RelationshipKindEnum = upperCased(['object', 'array']);
registerEnumType(RelationshipKindEnum, {name: 'RelationshipKind', description: 'OBJECT: one row, the first where several are equal in the columns. ARRAY: all of them, as a list, with aggregates beside it.'});

export const WriteKindEnum = upperCased(['insert', 'update', 'delete']);
registerEnumType(WriteKindEnum, {name: 'WriteKind', description: 'What clients may do to single rows of a dataset by mutations of the graph.'});

export const FateEnum = upperCased(['fail', 'quarantine', 'drop', 'null_value']);
registerEnumType(FateEnum, {
  name: 'OnBadRow',
  description: 'FAIL: nothing is committed. QUARANTINE: the row is kept, whole, in the quarantine. DROP: it is left out and counted. NULL_VALUE: it stays, its bad value is null.',
});

export const CompatibilityEnum = upperCased(['backward', 'backward_transitive', 'forward', 'forward_transitive', 'full', 'full_transitive', 'none']);
registerEnumType(CompatibilityEnum, {name: 'Compatibility', description: 'What a commit may change of the columns.'});

export const SeverityEnum = upperCased(['warn', 'error']);
registerEnumType(SeverityEnum, {name: 'Severity'});

export const PlanWarningCodeEnum = upperCased([
  'join_without_match', 'filter_without_match', 'join_multiplies', 'column_all_null', 'key_not_unique', 'key_null', 'model_input_unfit', 'model_input_retyped', 'model_input_out_of_range',
]);
registerEnumType(PlanWarningCodeEnum, {name: 'PlanWarningCode'});

export const CertaintyEnum = upperCased(['proven', 'likely']);
registerEnumType(CertaintyEnum, {name: 'Certainty', description: 'PROVEN: no data within the statistics could make it otherwise. LIKELY: estimates say so.'});
