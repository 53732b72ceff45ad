import { npmParent } from '../lib/process/npm-parent.ts'

/**
 * `next dev`, which ends with its children on SIGTERM and SIGINT, but not when its terminal is closed or npm is killed:
 * they would keep the port.
 */
const stop = (): void => void process.kill(process.pid, 'SIGTERM')

process.on('SIGHUP', stop)
npmParent()?.ended.addEventListener('abort', stop)
process.argv.splice(2, 0, 'dev')
await import('next/dist/bin/next')
