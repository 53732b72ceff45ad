import { readdirSync, readFileSync } from 'node:fs'

/** The resource usage of a server process and its children since their start. */
export type ProcessUse = { cpuMicros: number; peakMemoryMiB: number }

/** Linux counts in USER_HZ, which is 100 on every architecture Node runs on. */
const microsPerTick = 10_000

export const canReadProcesses = process.platform === 'linux'

/**
 * The CPU time (user and system, every thread, children that ended included) and the peak resident memory of all
 * processes of a group. The peaks are added up although they need not have occurred at the same moment.
 */
export function readProcessGroup(leader: number): ProcessUse {
  const use = { cpuMicros: 0, peakMemoryMiB: 0 }
  for (const pid of readdirSync('/proc')) {
    const stat = /^\d+$/.test(pid) ? readProcessFile(pid, 'stat') : undefined
    // The command's name may hold spaces; what follows its closing bracket begins with field 3 of proc(5).
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields === undefined || Number(fields[2]) !== leader) continue
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    use.cpuMicros += ticks * microsPerTick
    use.peakMemoryMiB += peakMemoryMiB(pid)
  }
  return use
}

function peakMemoryMiB(pid: string): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readProcessFile(pid, 'status') ?? '')?.[1]
  return Number(kibibytes ?? 0) / 1024
}

function readProcessFile(pid: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined // it ended since the directory was read
  }
}
