import { Counter, Histogram, type Registry } from 'prom-client'

const MS_PER_SECOND = 1000
const SECONDS = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]

/** Metrics of guardrails. The names of rails are the gateway's own, those of rules may be the operator's. */
export class GuardrailMetrics {
  readonly #findings: Counter<'rail' | 'kind' | 'place' | 'action' | 'mode'>

  readonly #judged: Counter<'judge' | 'outcome'>
  readonly #judgeSeconds: Histogram<'judge'>
  readonly #schemas: Counter<'outcome'>

  constructor(registry: Registry) {
    const registers = [registry]
    this.#judged = new Counter({
      name: 'parley_guardrail_judge_uses_total',
      help: 'Uses of external judges: clean and found are verdicts, all other outcomes say why there is none.',
      labelNames: ['judge', 'outcome'],
      registers,
    })
    this.#judgeSeconds = new Histogram({
      name: 'parley_guardrail_judge_seconds',
      help: 'Duration of a use of an external judge, verdicts from memory included.',
      labelNames: ['judge'],
      buckets: SECONDS,
      registers,
    })
    this.#schemas = new Counter({
      name: 'parley_answer_schema_checks_total',
      help: 'Checks of answers against their JSON schema: repaired is valid at the second attempt.',
      labelNames: ['outcome'],
      registers,
    })
    this.#findings = new Counter({
      name: 'parley_guardrail_findings_total',
      help: 'What the guardrails found, by what was done about it. In the mode shadow nothing was.',
      labelNames: ['rail', 'kind', 'place', 'action', 'mode'],
      registers,
    })
  }

  judged(judge: string, outcome: string, tookMs: number): void {
    this.#judged.inc({ judge, outcome })
    this.#judgeSeconds.observe({ judge }, tookMs / MS_PER_SECOND)
  }

  schemaChecked(outcome: string): void {
    this.#schemas.inc({ outcome })
  }

  found(
    finding: Readonly<{ rail: string; kind: string; place: string; action: string; isShadow?: true }>,
    count: number,
  ): void {
    const { rail, kind, place, action, isShadow } = finding
    this.#findings.inc({ rail, kind, place, action, mode: isShadow ? 'shadow' : 'enforce' }, count)
  }
}
