import type { ToolRun } from '../../gateway/wire.ts'
import { toolAsWords } from './tool-words.ts'

/** The tools that the gateway runs for an answer: which, how far, and whose data it is. */
export function ToolRuns({ tools }: { tools: readonly ToolRun[] }) {
  if (tools.length === 0) return null
  return (
    <ul className="tool-runs" aria-label="Tools used for this answer">
      {tools.map(tool => (
        <li key={tool.id} data-run={tool.state}>
          <span aria-hidden="true" className="tool-mark" />
          <span className="font-medium text-ink">{toolAsWords(tool.name)}</span>
          <span className="min-w-0 wrap-anywhere">{detailOf(tool)}</span>
        </li>
      ))}
    </ul>
  )
}

function detailOf({ state, source, reason }: ToolRun): string {
  if (state === 'running') return 'running…'
  if (state === 'failed') return reason ? `failed: ${reason}` : 'failed'
  return source ?? 'done'
}
