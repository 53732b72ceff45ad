import { Counter, type Registry } from 'prom-client'

/** Metrics of guardrails. The names of rails are the gateway's own, those of rules may be the operator's. */
export class GuardrailMetrics {
  readonly #findings: Counter<'rail' | 'kind' | 'place' | 'action' | 'mode'>

  constructor(registry: Registry) {
    this.#findings = new Counter({
      name: 'parley_guardrail_findings_total',
      help: 'What the guardrails found, by what was done about it. In the mode shadow nothing was.',
      labelNames: ['rail', 'kind', 'place', 'action', 'mode'],
      registers: [registry],
    })
  }

  found(
    finding: Readonly<{ rail: string; kind: string; place: string; action: string; isShadow?: true }>,
  ): void {
    const { rail, kind, place, action, isShadow } = finding
    this.#findings.inc({ rail, kind, place, action, mode: isShadow ? 'shadow' : 'enforce' })
  }
}
