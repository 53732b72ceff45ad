// Far more than any vendor takes. To translate many more at once would hold up other requests.

export const MOST_TOOLS = 4_096
export const TOO_MANY_TOOLS = 'must hold at most 4,096 tools'

/** Most parts of one message. */
export const MOST_PARTS = 10_000
export const TOO_MANY_PARTS = 'must hold at most 10,000 parts'
