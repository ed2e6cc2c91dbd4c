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

// openSocket returns what sends subscriptions, and how to end all of them.
export function openSocket(): { forward: SubscriptionForwarder; close: () => void } {
  let closed = false
  const socket = createClient({
    url: new URL('/graphql', location.href).href.replace(/^http/, 'ws'),
    lazyCloseTimeout: 5_000,
    keepAlive: 15_000,
    retryAttempts: Infinity,
    shouldRetry: () => !closed,
    retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, Math.min(300 * 2 ** retries, 5_000) * (0.75 + Math.random() / 2))),
    on: {
      connected: () => setCutOff(false),
      closed: (event) => {
        const { wasClean } = event as CloseEvent
        if (!closed && (!wasClean || (event as CloseEvent).code === 1001)) setCutOff(true)
      },
    },
  })
  return {
    forward: (request) => ({
      subscribe(sink) {
        // The payload is sent again after a break: then with the cursor of the last that was heard, so nothing is missed.
        const payload = { ...request, query: request.query ?? '', variables: { ...request.variables } as Record<string, unknown> }
        return {
          unsubscribe: socket.subscribe(payload, {
            next(result) {
              for (const told of Object.values(result.data ?? {}) as { cursor?: string }[]) {
                if (told.cursor) payload.variables.after = told.cursor
              }
              sink.next(result as never)
            },
            error: (problem) => sink.error(problem),
            complete: () => sink.complete(),
          }),
        }
      },
    }),
    close() {
      closed = true
      void socket.dispose()
    },
  }
}
