import { Client, type CombinedError, type Exchange, fetchExchange, makeOperation, mapExchange, type Operation, subscriptionExchange } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { retryExchange } from '@urql/exchange-retry'
import type { DocumentNode } from 'graphql'
import { map, pipe } from 'wonka'
import { cacheOptions } from './cache'
import { openSocket } from './socket'

// codeOf returns the code of the first error of the graph, NETWORK when there was no answer.
export function codeOf(error: CombinedError | undefined): string | undefined {
  if (!error) return undefined
  const code = error.graphQLErrors[0]?.extensions.code
  return typeof code === 'string' ? code : 'NETWORK'
}

// isMissing tells whether what was asked for is not there, or could not be by what its address says.
export const isMissing = (error: CombinedError | undefined) => ['NOT_FOUND', 'INVALID_ARGUMENT'].includes(codeOf(error) ?? '')

// named sends the hash of each document instead of its text: the server knows all of them. Its results tell of the
// operation as it was, which the cache needs.
const named: Exchange = ({ forward }) => (operations$) =>
  pipe(
    operations$,
    map((operation) => {
      const { __meta__ } = operation.query as DocumentNode & { __meta__?: { hash: string } }
      if (operation.kind === 'teardown' || !__meta__) return operation
      const query = { kind: 'Document', definitions: [], documentId: __meta__.hash } as unknown as typeof operation.query
      return makeOperation(operation.kind, { ...operation, query }, { ...operation.context, spelledOut: operation })
    }),
    forward,
    map((result) => {
      const { spelledOut } = result.operation.context as { spelledOut?: Operation }
      return spelledOut ? { ...result, operation: spelledOut } : result
    }),
  )

// makeClient returns a client with an empty cache, for one session or for a visitor. expired is called when the server
// does not know the session any more.
export function makeClient(expired: () => void): { client: Client; close: () => void } {
  const socket = openSocket()
  const client = new Client({
    url: '/graphql',
    preferGetMethod: 'within-url-limit',
    fetchOptions: {
      credentials: 'same-origin',
      cache: 'no-cache', // what the browser keeps is shown only if the server says that it still holds
      headers: { accept: 'application/graphql-response+json, application/json', 'x-requested-with': 'minidouyin' },
    },
    exchanges: [
      mapExchange({
        onError(error, operation) {
          if (codeOf(error) === 'UNAUTHENTICATED' && operation.kind !== 'mutation') expired()
        },
      }),
      cacheExchange(cacheOptions),
      retryExchange({
        initialDelayMs: 300,
        maxDelayMs: 3_000,
        maxNumberAttempts: 4,
        retryIf: (error, operation) => operation.kind === 'query' && ['NETWORK', 'UPSTREAM_UNAVAILABLE'].includes(codeOf(error) ?? ''),
      }),
      named,
      fetchExchange,
      subscriptionExchange({ forwardSubscription: socket.forward }),
    ],
  })
  return { client, close: socket.close }
}
