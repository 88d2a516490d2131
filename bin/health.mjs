#!/usr/bin/env node
/** `health.mjs URL`: exits with 0 when the URL answers with a status of 200 within 4 seconds. For health checks of containers. */
const url = process.argv[2] ?? 'http://127.0.0.1:4000/health/ready';
try {
  const response = await fetch(url, {signal: AbortSignal.timeout(4000)});
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
} catch (error) {
  console.error(`${url}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
