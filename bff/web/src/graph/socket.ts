import { createClient } from 'graphql-ws'
import type { SubscriptionForwarder } from '@urql/core'

// The socket of the subscriptions. It is open while there is something to hear, and connects again for as long as it
// takes. Cookies come along, so it hears what the session may.

const listeners = new Set<() => void>()
let cutOff = false

function setCutOff(now: boolean) {
  if (cutOff === now) return
  cutOff = now
  for (const listener of listeners) listener()
}

window.addEventListener('offline', () => setCutOff(true))
window.addEventListener('online', () => setCutOff(false))

// reachability tells whether the server can be reached, as a store for useSyncExternalStore.
export const reachability = {
  subscribe(listener: () => void) {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  },
  isCutOff: () => cutOff,
}

const patience = 10_000 // ms for an answer to a ping

// openSocket returns what sends subscriptions, and how to end all of them.
export function openSocket(): { forward: SubscriptionForwarder; close: () => void } {
  let closed = false
  let silence: ReturnType<typeof setTimeout> | undefined
  const socket = createClient({
    url: new URL('/graphql', location.href).href.replace(/^http/, 'ws'),
    lazyCloseTimeout: 5_000,
    keepAlive: 15_000,
    retryAttempts: Infinity,
    shouldRetry: () => !closed,
    retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, Math.min(300 * 2 ** retries, 5_000) * (0.75 + Math.random() / 2))),
    on: {
      connected: () => setCutOff(false),
      // A connection can be lost without a word: who does not answer is given up.
      ping: (received) => {
        if (received) return
        clearTimeout(silence)
        silence = setTimeout(() => socket.terminate(), patience)
      },
      pong: (received) => {
        if (received) clearTimeout(silence)
      },
      closed: (event) => {
        clearTimeout(silence)
        const { wasClean } = event as CloseEvent
        if (!closed && (!wasClean || (event as CloseEvent).code === 1001)) setCutOff(true)
      },
    },
  })
  // hear keeps a subscription: after a break of the connection the socket sends its payload again, and after an error that
  // passes this does. It then has the cursor of the last that was heard, so nothing is missed.
  function hear(payload: { query: string; variables: Record<string, unknown> }, sink: Sink): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined
    let end: () => void = () => undefined
    const start = () => {
      end = socket.subscribe(payload, {
        next(result) {
          for (const told of Object.values(result.data ?? {}) as { cursor?: string }[]) {
            if (told.cursor) payload.variables.after = told.cursor
          }
          sink.next(result as never)
        },
        error(problem) {
          if (passes(problem)) timer = setTimeout(start, 1_000)
          else sink.error(problem)
        },
        complete: () => sink.complete(),
      })
    }
    start()
    return () => {
      clearTimeout(timer)
      end()
    }
  }

  return {
    forward: (request) => ({
      subscribe: (sink) => ({
        unsubscribe: hear({ ...request, query: request.query ?? '', variables: { ...request.variables } }, sink),
      }),
    }),
    close() {
      closed = true
      void socket.dispose()
    },
  }
}

type Sink = Parameters<ReturnType<SubscriptionForwarder>['subscribe']>[0]

// passes tells whether an error that has ended a subscription is of the kind that goes away, as when the server stops.
function passes(problem: unknown) {
  if (!Array.isArray(problem)) return false
  return (problem as { extensions?: { code?: unknown } }[]).some((error) => error.extensions?.code === 'UPSTREAM_UNAVAILABLE')
}
