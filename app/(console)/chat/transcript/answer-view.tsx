import { LazyMarkdown } from '../../markdown/lazy-markdown.tsx'
import { isOpen, startOf, type Turn, textOf, toolsOf } from '../conversation/turn.ts'
import { ToolRuns } from '../tools/tool-runs.tsx'
import { AnswerActions } from './answer-actions.tsx'
import { FailureNotice } from './failure-notice.tsx'
import { StillWaiting } from './still-waiting.tsx'
import type { TurnActions } from './turn-actions.ts'
import { useStalled } from './use-stalled.ts'

/** One answer in any state, with its actions. */
export function AnswerView({ turn, onRetry, onContinue, onTakeBack, models }: { turn: Turn } & TurnActions) {
  const { answer } = turn
  const text = textOf(answer)
  const stalled = useStalled(answer)
  return (
    <div className="mt-6" data-state={answer.state}>
      <ToolRuns tools={toolsOf(answer)} />
      {text && <LazyMarkdown text={text} idPrefix={`answer-${turn.id}-`} open={isOpen(answer)} />}
      {answer.state === 'waiting' && <Waiting />}
      {stalled && <StillWaiting />}
      {answer.state === 'streaming' && answer.connection === 'lost' && <Lost />}
      {answer.state === 'failed' && (
        <FailureNotice
          failure={answer.failure}
          asked={startOf(answer)?.model ?? turn.model}
          models={models}
          onRetry={onRetry}
          onTakeBack={text ? undefined : onTakeBack}
        />
      )}
      <AnswerActions turn={turn} onRetry={onRetry} onContinue={onContinue} />
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
  return <p className="mt-3 text-sm text-muted">Connection lost. Reconnecting…</p>
}
