-- AlterTable
ALTER TABLE "dataset" ALTER COLUMN "contract" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "pipeline_definition" ALTER COLUMN "definition" SET DATA TYPE JSON;

-- AlterTable
ALTER TABLE "schema_proposal" ALTER COLUMN "proposal" SET DATA TYPE JSON;
