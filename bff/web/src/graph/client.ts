import { Client, type Exchange, fetchExchange, makeOperation, mapExchange, type Operation, subscriptionExchange } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { retryExchange } from '@urql/exchange-retry'
import type { DocumentNode } from 'graphql'
import { map, pipe } from 'wonka'
import { cacheOptions } from './cache'
import { codeOf } from './errors'
import { openSocket } from './socket'

// persistedExchange sends the hash of each document instead of its text. Results get their original operation back,
// because the cache needs its text.
const persistedExchange: Exchange = ({ forward }) => (operations$) =>
  pipe(
    operations$,
    map((operation) => {
      const { __meta__ } = operation.query as DocumentNode & { __meta__?: { hash: string } }
      if (operation.kind === 'teardown' || !__meta__) return operation
      const query = { kind: 'Document', definitions: [], documentId: __meta__.hash } as unknown as typeof operation.query
      return makeOperation(operation.kind, { ...operation, query }, { ...operation.context, original: operation })
    }),
    forward,
    map((result) => {
      const { original } = result.operation.context as { original?: Operation }
      return original ? { ...result, operation: original } : result
    }),
  )

// makeClient returns a client with an empty cache, for one session or for anonymous requests. It calls expired when the
// server rejects the session.
export function makeClient(expired: () => void): { client: Client; close: () => void } {
  const socket = openSocket()
  const client = new Client({
    url: '/graphql',
    preferGetMethod: 'within-url-limit',
    fetchOptions: {
      credentials: 'same-origin',
      cache: 'no-cache', // revalidate every cached response
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
      persistedExchange,
      fetchExchange,
      subscriptionExchange({ forwardSubscription: socket.forward }),
    ],
  })
  return { client, close: socket.close }
}
