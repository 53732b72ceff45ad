import { CopyButton } from '../../copy-button.tsx'
import { wasCut } from '../../gateway/wire.ts'
import { RetryIcon } from '../../icons.tsx'
import { type Answer, partialExpense, startOf, type Turn, textOf } from '../conversation/turn.ts'
import { FactsLine, PartialFacts } from './facts-line.tsx'
import type { TurnActions } from './turn-actions.ts'

type Props = { turn: Turn; onRetry: TurnActions['onRetry']; onContinue: TurnActions['onContinue'] }

/** Below an answer that has ended: copy it, ask again, have the rest, and what is known of it. */
export function AnswerActions({ turn, onRetry, onContinue }: Props) {
  const { answer } = turn
  if (answer.state === 'waiting' || answer.state === 'streaming') return null
  const text = textOf(answer)
  const isCut = answer.state === 'done' && wasCut(answer.facts)
  const model = startOf(answer)?.model ?? turn.model
  if (!text && answer.state === 'failed' && !mayHaveCost(answer)) return null
  return (
    <div className="actions mt-3 -ml-2 flex flex-wrap items-center gap-x-1 text-sm text-muted">
      {text && <CopyButton label="Copy answer" text={() => text} />}
      {answer.state !== 'failed' && onRetry && <RetryButton onRetry={() => onRetry()} />}
      {answer.state === 'done' && <FactsLine facts={answer.facts} asked={turn.model} />}
      {answer.state === 'stopped' && <p className="ml-2">You stopped this answer</p>}
      {answer.state !== 'done' && <PartialFacts model={model} expense={partialExpense(answer)} />}
      {isCut && onContinue && (
        <button type="button" className="outline-button mt-2 ml-2" onClick={onContinue}>
          Continue
        </button>
      )}
    </div>
  )
}

/** A request that the gateway refused or that never reached it costs nothing. */
function mayHaveCost(answer: Extract<Answer, { state: 'failed' }>): boolean {
  return answer.start !== undefined || (answer.failure.status ?? 0) >= 500
}

function RetryButton({ onRetry }: { onRetry: () => void }) {
  return (
    <button type="button" className="icon-button" aria-label="Ask again" title="Ask again" onClick={onRetry}>
      <RetryIcon />
    </button>
  )
}
