import { memo } from 'react'
import type { Turn } from '../conversation/turn.ts'
import { AnswerView } from './answer-view.tsx'
import type { TurnActions } from './turn-actions.ts'

export const TurnView = memo(function TurnView({ turn, ...actions }: { turn: Turn } & TurnActions) {
  return (
    <>
      <h2 className="sr-only">You asked</h2>
      <p
        dir="auto"
        className="question ml-auto w-fit max-w-[88%] whitespace-pre-wrap rounded-2xl rounded-br-md bg-surface px-4 py-2.5 wrap-anywhere"
      >
        {turn.question}
      </p>
      <h2 className="sr-only">Answer</h2>
      <AnswerView turn={turn} {...actions} />
    </>
  )
})
