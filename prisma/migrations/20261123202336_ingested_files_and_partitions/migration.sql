-- AlterTable
ALTER TABLE "data_file" ADD COLUMN     "partition" TEXT;

-- CreateTable
CREATE TABLE "ingested_file" (
    "dataset_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "snapshot_id" UUID NOT NULL,
    "read_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ingested_file_pkey" PRIMARY KEY ("dataset_id","name")
);

-- AddForeignKey
ALTER TABLE "ingested_file" ADD CONSTRAINT "ingested_file_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "dataset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
