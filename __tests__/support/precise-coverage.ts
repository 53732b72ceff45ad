import { type GatewayProcess, ROOT } from './gateway.ts'

type FunctionCoverage = Readonly<{ functionName: string; ranges: readonly Readonly<{ count: number }>[] }>
type ScriptCoverage = Readonly<{ url: string; functions: readonly FunctionCoverage[] }>

/** The environment under which a gateway lets its function calls be counted. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' }

/** Counts the function calls of a gateway by V8's precise coverage, through its inspector. */
export class PreciseCoverage {
  readonly #socket: WebSocket
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
  }

  /** Starts counting. The gateway has been started with `INSPECTED`. */
  static async start(gateway: GatewayProcess): Promise<PreciseCoverage> {
    const [url = ''] = /ws:\/\/127\.0\.0\.1\S+/.exec(gateway.everything) ?? []
    const socket = new WebSocket(url)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true })
      socket.addEventListener('error', reject, { once: true })
    })
    const coverage = new PreciseCoverage(socket)
    await coverage.#ask('Profiler.enable')
    await coverage.#ask('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    return coverage
  }

  /**
   * The project's files in which a function has run at least `least` times since the last look, with the names of
   * these functions.
   */
  async filesRun(least: number): Promise<ReadonlyMap<string, readonly string[]>> {
    const { result } = (await this.#ask('Profiler.takePreciseCoverage')) as { result: ScriptCoverage[] }
    const project = `file://${ROOT}/`
    const files = new Map<string, readonly string[]>()
    for (const { url, functions } of result) {
      const file = decodeURI(url.slice(project.length))
      if (!url.startsWith(project) || !/^(?:app|lib)\/|^server\.ts$/.test(file)) continue
      const run = functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) >= least)
      if (run.length > 0)
        files.set(
          file,
          run.map(({ functionName }) => functionName || '(anonymous)'),
        )
    }
    return files
  }

  stop(): void {
    this.#socket.close()
  }

  #ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const take = ({ data }: MessageEvent): void => {
        const message = JSON.parse(String(data))
        if (message.id !== id) return
        this.#socket.removeEventListener('message', take)
        if (message.error) reject(new Error(`${method}: ${message.error.message}`))
        else resolve(message.result)
      }
      this.#socket.addEventListener('message', take)
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }
}
