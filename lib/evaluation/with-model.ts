import type { GraderSpec } from './types.ts'

/** The graders, with a model for those that ask one and name none. */
export const withModel = (specs: readonly GraderSpec[], model: string | undefined): readonly GraderSpec[] =>
  model === undefined
    ? specs
    : specs.map(spec => (spec.type === 'judge' && spec.model === undefined ? { ...spec, model } : spec))
