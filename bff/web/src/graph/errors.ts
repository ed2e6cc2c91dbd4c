import type { CombinedError } from '@urql/core'

// codeOf returns the code of the first GraphQL error, or NETWORK when the server sent no response.
export function codeOf(error: CombinedError | undefined): string | undefined {
  if (!error) return undefined
  const code = error.graphQLErrors[0]?.extensions.code
  return typeof code === 'string' ? code : 'NETWORK'
}

// isNotFound reports whether the object does not exist, or its ID is invalid.
export const isNotFound = (error: CombinedError | undefined) => ['NOT_FOUND', 'INVALID_ARGUMENT'].includes(codeOf(error) ?? '')
