import { cost, duration, tokens } from '../../format.ts'
import { type Expense, type Facts, wasCut } from '../../gateway/wire.ts'

/** The model, tokens, cost and latency of an answer; and whether it was cut. */
export function FactsLine({ facts, asked }: { facts: Facts; asked: string | undefined }) {
  return (
    <>
      <dl className="facts ml-2">
        <Fact name="Model">{facts.model}</Fact>
        {asked && asked !== facts.model && <Fact name="Instead of">in place of {asked}</Fact>}
        {facts.usage && <Fact name="Tokens">{tokens(facts.usage)}</Fact>}
        <Fact name="Cost">{cost(facts.costUsd, facts.usage?.estimated)}</Fact>
        <Fact name="Time">{duration(facts.latencyMs)}</Fact>
        {(facts.cache === 'hit' || facts.cache === 'stale') && <Fact name="Source">from the cache</Fact>}
      </dl>
      <CutNote facts={facts} />
    </>
  )
}

/** The model of an answer that did not complete, and what it has cost as far as that is known. */
export function PartialFacts({
  model,
  expense,
}: {
  model: string | undefined
  expense: Expense | undefined
}) {
  return (
    <dl className="facts ml-2">
      {model && <Fact name="Model">{model}</Fact>}
      {expense?.usage && <Fact name="Tokens">{tokens(expense.usage)}</Fact>}
      <Fact name="Cost">{partialCost(expense)}</Fact>
    </dl>
  )
}

function partialCost(expense: Expense | undefined): string {
  if (!expense) return 'cost unknown'
  return expense.usage ? cost(expense.costUsd, expense.usage.estimated) : 'no cost'
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt className="sr-only">{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function CutNote({ facts }: { facts: Facts }) {
  if (facts.finishReason === 'content_filter')
    return <Note>The provider’s content filter stopped this answer</Note>
  return wasCut(facts) ? <Note>This answer reached its length limit</Note> : null
}

function Note({ children }: { children: string }) {
  return <p className="ml-2 basis-full text-warn">{children}</p>
}
