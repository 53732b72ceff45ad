import { cost, duration, tokens } from '../../format.ts'
import { type Facts, wasCut } from '../../gateway/wire.ts'

/** The model, tokens, cost and latency of an answer; and whether it was cut. */
export function FactsLine({ facts, asked }: { facts: Facts; asked: string | undefined }) {
  return (
    <>
      <dl className="facts ml-2">
        <Fact name="Model">{facts.model}</Fact>
        {asked && asked !== facts.model && <Fact name="Instead of">in place of {asked}</Fact>}
        {facts.usage && <Fact name="Tokens">{tokens(facts.usage)}</Fact>}
        <Fact name="Cost">{cost(facts.costUsd)}</Fact>
        <Fact name="Time">{duration(facts.latencyMs)}</Fact>
        {(facts.cache === 'hit' || facts.cache === 'stale') && <Fact name="Source">from the cache</Fact>}
      </dl>
      <CutNote facts={facts} />
    </>
  )
}

/** The model of an answer that did not complete. Its cost is unknown: usage comes with an answer's end. */
export function PartialFacts({ model }: { model: string | undefined }) {
  return (
    <dl className="facts ml-2">
      {model && <Fact name="Model">{model}</Fact>}
      <Fact name="Cost">cost unknown</Fact>
    </dl>
  )
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
