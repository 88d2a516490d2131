-- AlterTable
ALTER TABLE "webhook" ADD COLUMN     "former_secret" TEXT,
ADD COLUMN     "former_until" TIMESTAMPTZ(6);
