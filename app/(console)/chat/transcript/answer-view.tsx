import { CopyButton } from '../../copy-button.tsx'
import { RetryIcon } from '../../icons.tsx'
import { LazyMarkdown } from '../../markdown/lazy-markdown.tsx'
import { type Turn, textOf } from '../conversation/turn.ts'
import { FactsLine } from './facts-line.tsx'
import { FailureNotice } from './failure-notice.tsx'

export type TurnActions = {
  onRetry?: () => void
  /** Puts a question without an answer back into the composer. */
  onTakeBack?: () => void
}

/** One answer in any state, with its actions. */
export function AnswerView({ turn, onRetry, onTakeBack }: { turn: Turn } & TurnActions) {
  const { answer } = turn
  const text = textOf(answer)
  return (
    <div className="mt-6" data-state={answer.state}>
      {text && <LazyMarkdown text={text} idPrefix={`answer-${turn.id}-`} />}
      {answer.state === 'waiting' && <Waiting />}
      {answer.state === 'streaming' && answer.connection === 'lost' && <Lost />}
      {answer.state === 'failed' && (
        <FailureNotice
          failure={answer.failure}
          onRetry={onRetry}
          onTakeBack={text ? undefined : onTakeBack}
        />
      )}
      {(answer.state === 'done' || answer.state === 'stopped') && (
        <div className="mt-3 -ml-2 flex flex-wrap items-center gap-x-1 text-sm text-muted">
          {text && <CopyButton label="Copy answer" text={() => text} />}
          {onRetry && <RetryButton onRetry={onRetry} />}
          {answer.state === 'done' && <FactsLine facts={answer.facts} asked={turn.model} />}
          {answer.state === 'stopped' && <p className="ml-2">You stopped this answer</p>}
        </div>
      )}
    </div>
  )
}

function Waiting() {
  return (
    <p className="waiting" aria-hidden="true">
      <span />
      <span />
      <span />
    </p>
  )
}

function Lost() {
  return <p className="mt-3 text-sm text-muted">Connection lost, reconnecting …</p>
}

function RetryButton({ onRetry }: { onRetry: () => void }) {
  return (
    <button type="button" className="icon-button" aria-label="Ask again" title="Ask again" onClick={onRetry}>
      <RetryIcon />
    </button>
  )
}
