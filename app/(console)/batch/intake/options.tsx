import { type ReactNode, useLayoutEffect, useRef } from 'react'
import { TextField } from '../../text-field.tsx'
import { PriorityPicker } from '../priority-picker.tsx'
import type { Intake } from './intake.ts'

/** The contract's bound on a batch's name. */
const LONGEST_NAME = 200

type OptionFields = Pick<Intake, 'instruction' | 'name' | 'priority'>
type Props = { options: OptionFields; onWrite: (fields: Partial<OptionFields>) => void; children: ReactNode }

/** The batch's instruction, name and priority; its child is the model picker. */
export function OptionInputs({ options, onWrite, children }: Props) {
  const instruction = useRef<HTMLTextAreaElement>(null)
  const name = useRef<HTMLInputElement>(null)
  const write = useRef(onWrite)

  // Texts typed before the page was hydrated are in the inputs, but not yet in the state.
  useLayoutEffect(() => {
    const typed = { instruction: instruction.current?.value, name: name.current?.value }
    if (typed.instruction) write.current({ instruction: typed.instruction })
    if (typed.name) write.current({ name: typed.name })
  }, [])

  return (
    <>
      <label className="field mt-4">
        Instruction for every item
        <textarea
          ref={instruction}
          rows={2}
          placeholder="Optional, e.g. Translate this into French"
          value={options.instruction}
          onChange={event => onWrite({ instruction: event.target.value })}
        />
      </label>
      <TextField
        ref={name}
        className="mt-3"
        label="Name"
        maxLength={LONGEST_NAME}
        placeholder="Optional, e.g. March tickets"
        value={options.name}
        onWrite={written => onWrite({ name: written })}
      />
      <div className="mt-3 flex flex-wrap items-center gap-x-4 gap-y-1">
        {children}
        <PriorityPicker
          label="Priority"
          priority={options.priority}
          onChoose={priority => onWrite({ priority })}
        />
      </div>
    </>
  )
}
