/** Far more than any vendor takes. To translate many more would hold up other requests. */
export const MOST_TOOLS = 4_096
export const TOO_MANY_TOOLS = 'must hold at most 4,096 tools'
