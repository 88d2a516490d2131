import {readFileSync} from 'node:fs';

/**
 * The most memory (resident, in bytes) that a process ever had; NaN where the system does not tell.
 * Not `resourceUsage().maxRSS`, which on Linux begins with what the parent had when it forked.
 */
export function peakMemory(/** @type {number} */ pid) {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
  } catch {
    return pid === process.pid ? process.resourceUsage().maxRSS * 1024 : NaN;
  }
}
