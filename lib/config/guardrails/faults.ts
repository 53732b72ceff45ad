import type { KeyPath } from '../file.ts'
import type { ConfigFile } from '../file-schema.ts'
import type { RailsSection } from './schema.ts'

type Found = readonly [path: KeyPath, message: string]

const sendsElsewhere = ({ injection, sensitiveData }: RailsSection): boolean =>
  (injection !== undefined && injection !== false && injection.action === 'another-model') ||
  (sensitiveData !== undefined && sensitiveData !== false && sensitiveData.input === 'another-model')

/** What is wrong with the guardrails of a file. @param nameFault what is wrong with the name of a model */
export const guardrailFaults = (
  { guardrails }: ConfigFile,
  nameFault: (name: string) => string | undefined,
): readonly Found[] => {
  if (!guardrails) return []
  const sections: readonly (readonly [KeyPath, RailsSection])[] = [
    [['guardrails'], guardrails],
    ...(guardrails.rules ?? []).map((rule, index) => [['guardrails', 'rules', index], rule] as const),
  ]
  const judges = (guardrails.judges ?? []).map(({ name, type }) => name ?? type)
  const unknownJudges = (guardrails.rules ?? []).flatMap((rule, index): Found[] =>
    (rule.judges ?? []).flatMap((name, at): Found[] =>
      judges.includes(name)
        ? []
        : [[['guardrails', 'rules', index, 'judges', at], 'is not the name of a judge']],
    ),
  )
  const elsewhere = sections.flatMap(([path, section]): Found[] => {
    const model = section.anotherModel ?? guardrails.anotherModel
    if (model === undefined)
      return sendsElsewhere(section) ? [[path, 'needs anotherModel for the action another-model']] : []
    const fault = section.anotherModel === undefined ? undefined : nameFault(model)
    return fault ? [[[...path, 'anotherModel'], fault]] : []
  })
  return [...unknownJudges, ...elsewhere]
}
