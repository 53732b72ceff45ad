import type { FormEvent } from 'react'
import { ModelPicker } from '../../models/model-picker.tsx'
import type { useModels } from '../../models/use-models.ts'
import { ChosenFiles } from './chosen-files.tsx'
import { DropZone } from './drop-zone.tsx'
import { maySend } from './intake.ts'
import { IntakeProblems } from './intake-problems.tsx'
import { OptionInputs } from './options.tsx'
import { SendButton } from './send-button.tsx'
import { SendingLine } from './sending-line.tsx'
import type { useIntake } from './use-intake.ts'

type Props = { intake: ReturnType<typeof useIntake>; picking: ReturnType<typeof useModels> }

/** The form that creates a batch from files. */
export function IntakeForm({ intake, picking: { models, model, chooseModel } }: Props) {
  const { chosen, sending } = intake
  const underWay = sending.state === 'under-way'

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    void intake.send()
  }

  return (
    <form onSubmit={submit} aria-labelledby="new-batch">
      <h2 id="new-batch" className="font-serif text-2xl tracking-tight">
        New batch
      </h2>
      <p className="mt-1 text-[0.9375rem] text-muted">
        Each text file, CSV row, JSON array entry and JSONL line becomes one item.
      </p>
      <fieldset disabled={underWay} className="mt-4 min-w-0">
        <legend className="sr-only">Files and options</legend>
        <DropZone onChoose={files => void intake.choose(files)} disabled={underWay}>
          <IntakeProblems
            chosen={chosen}
            sending={sending}
            onRemove={intake.remove}
            onWaited={intake.endWait}
          />
          {chosen.length > 0 && (
            <ChosenFiles chosen={chosen} disabled={underWay} onRemove={id => intake.remove([id])} />
          )}
        </DropZone>
        <OptionInputs options={intake} onWrite={intake.write}>
          <ModelPicker models={models} model={model} onChoose={chooseModel} />
        </OptionInputs>
      </fieldset>
      <div className="mt-4 flex flex-wrap items-center gap-x-4 gap-y-2">
        <SendButton underWay={underWay} ready={maySend(intake)} onStop={intake.stop} />
        <SendingLine
          chosen={chosen}
          instruction={intake.instruction}
          models={models}
          model={model}
          sending={sending}
        />
      </div>
    </form>
  )
}
