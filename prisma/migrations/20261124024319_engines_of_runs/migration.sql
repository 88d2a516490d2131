-- AlterTable
ALTER TABLE "run" ADD COLUMN     "engine" TEXT;

-- AlterTable
ALTER TABLE "run_step" ADD COLUMN     "engine" TEXT;
