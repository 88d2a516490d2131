-- CreateTable
CREATE TABLE "dataset" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "next_field_id" INTEGER NOT NULL DEFAULT 1,
    "rules" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "dataset_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "schema_version" (
    "id" UUID NOT NULL,
    "dataset_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "fields" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "schema_version_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "snapshot" (
    "id" UUID NOT NULL,
    "dataset_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "parent_id" UUID,
    "operation" TEXT NOT NULL,
    "schema_id" UUID NOT NULL,
    "run_id" UUID,
    "step_name" TEXT,
    "row_count" BIGINT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "file_count" INTEGER NOT NULL,
    "next_row_id" BIGINT NOT NULL,
    "content_hash" TEXT NOT NULL,
    "profile" JSONB NOT NULL,
    "lineage" JSONB NOT NULL,
    "committed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "snapshot_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "head" (
    "branch" TEXT NOT NULL,
    "dataset_id" UUID NOT NULL,
    "snapshot_id" UUID NOT NULL,

    CONSTRAINT "head_pkey" PRIMARY KEY ("branch","dataset_id")
);

-- CreateTable
CREATE TABLE "data_file" (
    "id" UUID NOT NULL,
    "dataset_id" UUID NOT NULL,
    "path" TEXT NOT NULL,
    "added_at" INTEGER NOT NULL,
    "removed_at" INTEGER,
    "position" INTEGER NOT NULL,
    "first_row_id" BIGINT NOT NULL,
    "row_ids" TEXT NOT NULL,
    "row_count" BIGINT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "columns" JSONB NOT NULL,
    "schema_version" INTEGER NOT NULL,

    CONSTRAINT "data_file_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "pin" (
    "id" UUID NOT NULL,
    "snapshot_id" UUID NOT NULL,
    "owner" TEXT NOT NULL,
    "until" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "pin_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "upload" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "upload_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "pipeline" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "current_id" UUID,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "pipeline_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "pipeline_definition" (
    "id" UUID NOT NULL,
    "pipeline_id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "definition" JSONB NOT NULL,
    "origin" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "pipeline_definition_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "run" (
    "id" UUID NOT NULL,
    "definition_id" UUID NOT NULL,
    "branch" TEXT NOT NULL DEFAULT 'main',
    "params" JSONB NOT NULL,
    "status" TEXT NOT NULL,
    "waiting_for" TEXT,
    "requested_by" TEXT NOT NULL,
    "idempotency_key" TEXT,
    "retry_of_id" UUID,
    "cancel_requested" BOOLEAN NOT NULL DEFAULT false,
    "error" JSONB,
    "last_seq" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "run_step" (
    "run_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "fence" INTEGER NOT NULL DEFAULT 0,
    "deaths" INTEGER NOT NULL DEFAULT 0,
    "worker" TEXT,
    "lease_until" TIMESTAMPTZ(6),
    "not_before" TIMESTAMPTZ(6),
    "needs" TEXT[],
    "inputs" JSONB,
    "fingerprint" TEXT,
    "reused" BOOLEAN NOT NULL DEFAULT false,
    "reason" TEXT,
    "output_id" UUID,
    "rows_read" BIGINT NOT NULL DEFAULT 0,
    "rows_written" BIGINT NOT NULL DEFAULT 0,
    "result" JSONB,
    "error" JSONB,
    "started_at" TIMESTAMPTZ(6),
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "run_step_pkey" PRIMARY KEY ("run_id","name")
);

-- CreateTable
CREATE TABLE "run_event" (
    "run_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "kind" TEXT NOT NULL,
    "data" JSONB NOT NULL,

    CONSTRAINT "run_event_pkey" PRIMARY KEY ("run_id","seq")
);

-- CreateTable
CREATE TABLE "model" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "model_version" (
    "id" UUID NOT NULL,
    "model_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "artifact" JSONB NOT NULL,
    "signature" JSONB NOT NULL,
    "settings" JSONB NOT NULL,
    "metrics" JSONB NOT NULL,
    "gate" JSONB NOT NULL,
    "trained_on" UUID[],
    "fingerprint" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_version_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "model_alias" (
    "model_id" UUID NOT NULL,
    "alias" TEXT NOT NULL,
    "since" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "version_id" UUID,

    CONSTRAINT "model_alias_pkey" PRIMARY KEY ("model_id","alias","since")
);

-- CreateTable
CREATE TABLE "deployment" (
    "id" UUID NOT NULL,
    "model_id" UUID NOT NULL,
    "dataset_id" UUID NOT NULL,
    "alias" TEXT NOT NULL,
    "field" TEXT NOT NULL,
    "features" JSONB NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "deployment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "change_count" (
    "of" TEXT NOT NULL,
    "count" BIGINT NOT NULL,

    CONSTRAINT "change_count_pkey" PRIMARY KEY ("of")
);

-- CreateIndex
CREATE UNIQUE INDEX "dataset_name_key" ON "dataset"("name");

-- CreateIndex
CREATE UNIQUE INDEX "schema_version_dataset_id_version_key" ON "schema_version"("dataset_id", "version");

-- CreateIndex
CREATE INDEX "snapshot_run_id_idx" ON "snapshot"("run_id");

-- CreateIndex
CREATE INDEX "snapshot_dataset_id_committed_at_idx" ON "snapshot"("dataset_id", "committed_at");

-- CreateIndex
CREATE UNIQUE INDEX "snapshot_dataset_id_sequence_key" ON "snapshot"("dataset_id", "sequence");

-- CreateIndex
CREATE UNIQUE INDEX "data_file_path_key" ON "data_file"("path");

-- CreateIndex
CREATE INDEX "data_file_dataset_id_added_at_idx" ON "data_file"("dataset_id", "added_at");

-- CreateIndex
CREATE INDEX "pin_until_idx" ON "pin"("until");

-- CreateIndex
CREATE UNIQUE INDEX "pipeline_name_key" ON "pipeline"("name");

-- CreateIndex
CREATE UNIQUE INDEX "pipeline_current_id_key" ON "pipeline"("current_id");

-- CreateIndex
CREATE UNIQUE INDEX "pipeline_definition_pipeline_id_hash_key" ON "pipeline_definition"("pipeline_id", "hash");

-- CreateIndex
CREATE INDEX "run_status_idx" ON "run"("status");

-- CreateIndex
CREATE INDEX "run_created_at_idx" ON "run"("created_at");

-- CreateIndex
CREATE UNIQUE INDEX "run_requested_by_idempotency_key_key" ON "run"("requested_by", "idempotency_key");

-- CreateIndex
CREATE INDEX "run_step_status_lease_until_idx" ON "run_step"("status", "lease_until");

-- CreateIndex
CREATE INDEX "run_step_fingerprint_idx" ON "run_step"("fingerprint");

-- CreateIndex
CREATE UNIQUE INDEX "model_name_key" ON "model"("name");

-- CreateIndex
CREATE UNIQUE INDEX "model_version_model_id_number_key" ON "model_version"("model_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "deployment_dataset_id_field_key" ON "deployment"("dataset_id", "field");

-- AddForeignKey
ALTER TABLE "schema_version" ADD CONSTRAINT "schema_version_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "dataset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "snapshot" ADD CONSTRAINT "snapshot_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "dataset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "snapshot" ADD CONSTRAINT "snapshot_schema_id_fkey" FOREIGN KEY ("schema_id") REFERENCES "schema_version"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "snapshot" ADD CONSTRAINT "snapshot_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "snapshot"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "head" ADD CONSTRAINT "head_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "dataset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "head" ADD CONSTRAINT "head_snapshot_id_fkey" FOREIGN KEY ("snapshot_id") REFERENCES "snapshot"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "data_file" ADD CONSTRAINT "data_file_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "dataset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "pin" ADD CONSTRAINT "pin_snapshot_id_fkey" FOREIGN KEY ("snapshot_id") REFERENCES "snapshot"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "pipeline" ADD CONSTRAINT "pipeline_current_id_fkey" FOREIGN KEY ("current_id") REFERENCES "pipeline_definition"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "pipeline_definition" ADD CONSTRAINT "pipeline_definition_pipeline_id_fkey" FOREIGN KEY ("pipeline_id") REFERENCES "pipeline"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run" ADD CONSTRAINT "run_definition_id_fkey" FOREIGN KEY ("definition_id") REFERENCES "pipeline_definition"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_step" ADD CONSTRAINT "run_step_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_event" ADD CONSTRAINT "run_event_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_version" ADD CONSTRAINT "model_version_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "model"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_alias" ADD CONSTRAINT "model_alias_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "model"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_alias" ADD CONSTRAINT "model_alias_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "model_version"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deployment" ADD CONSTRAINT "deployment_model_id_fkey" FOREIGN KEY ("model_id") REFERENCES "model"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deployment" ADD CONSTRAINT "deployment_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "dataset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
