-- AlterTable
ALTER TABLE "leftover" ADD COLUMN     "is_draft" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "erasure" (
    "id" UUID NOT NULL,
    "dataset_id" UUID NOT NULL,
    "selected_by" TEXT NOT NULL,
    "columns" TEXT[],
    "salt" TEXT NOT NULL,
    "hashes" TEXT[],
    "requested_by" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "erased_at" TIMESTAMPTZ(6) NOT NULL,
    "rows" BIGINT NOT NULL,
    "snapshot_ids" UUID[],
    "affected" JSONB NOT NULL,

    CONSTRAINT "erasure_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "erasure_dataset_id_erased_at_idx" ON "erasure"("dataset_id", "erased_at");

-- AddForeignKey
ALTER TABLE "erasure" ADD CONSTRAINT "erasure_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "dataset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
