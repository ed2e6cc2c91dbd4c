import { lazy, type ReactNode, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { type Client, Provider, useQuery } from 'urql'
import { unmask } from '../gql'
import { ViewerFragmentDoc, WhoAmIDocument } from '../gql/graphql'
import { makeClient } from '../graph/client'
import { clearCookie, setCookie } from './cookie'
import { type Session, SessionContext } from './session'

const SignIn = lazy(() => import('./SignIn'))

// tabs notifies the other tabs of this site of sign-in and sign-out.
const tabs = new BroadcastChannel('session')

// hint is the localStorage key that is set while there is a session, because scripts cannot read the cookie.
const hint = 'signed-in'

// expiry receives an event when the server rejects the session.
const expiry = new EventTarget()
const connect = () => makeClient(() => expiry.dispatchEvent(new Event('expired')))

// SessionProvider provides the session, and a client with a cache and a socket that belong to this session only.
export function SessionProvider({ children }: { children: ReactNode }) {
  const [connection, setConnection] = useState(connect)
  const reconnect = useCallback(() => setConnection(connect), [])
  useEffect(() => {
    // Close the old client after the components have switched to the new one.
    return () => void setTimeout(connection.close, 1_000)
  }, [connection])
  useEffect(() => {
    let lastReset = 0
    const reset = () => {
      if (Date.now() - lastReset < 10_000) return // reset once for all operations that fail together
      lastReset = Date.now()
      void clearCookie().then(reconnect, () => undefined)
    }
    expiry.addEventListener('expired', reset)
    tabs.addEventListener('message', reconnect)
    return () => {
      expiry.removeEventListener('expired', reset)
      tabs.removeEventListener('message', reconnect)
    }
  }, [reconnect])
  return (
    <Provider value={connection.client}>
      <ViewerProvider client={connection.client} reconnect={reconnect}>
        {children}
      </ViewerProvider>
    </Provider>
  )
}

function ViewerProvider({ client, reconnect, children }: { client: Client; reconnect: () => void; children: ReactNode }) {
  const [{ data, error, operation }] = useQuery({ query: WhoAmIDocument })
  const [signingIn, setSigningIn] = useState(false)
  const pending = useRef<((client: Client) => void) | null>(null)
  const viewer = data ? (unmask(ViewerFragmentDoc, data.viewer) ?? null) : null

  // Run the pending action after sign-in, once the new client has loaded the viewer.
  useEffect(() => {
    const run = pending.current
    if (!viewer || !run || operation === undefined) return
    void client.query(WhoAmIDocument, {}).then((result) => {
      if (!result.data?.viewer || pending.current !== run) return
      pending.current = null
      run(client)
    })
  }, [client, viewer, operation])

  const session = useMemo<Session>(() => {
    const changed = () => {
      reconnect()
      tabs.postMessage('changed')
    }
    return {
      viewer,
      signedIn: data ? viewer !== null : localStorage.getItem(hint) !== null,
      loaded: data !== undefined || error !== undefined,
      openSignIn: () => setSigningIn(true),
      whenSignedIn(run) {
        if (viewer) return run(client)
        pending.current = run
        setSigningIn(true)
      },
      async start(token) {
        await setCookie(token)
        localStorage.setItem(hint, 'yes')
        setSigningIn(false)
        changed()
      },
      async end() {
        await clearCookie()
        localStorage.removeItem(hint)
        changed()
      },
    }
  }, [viewer, data, error, client, reconnect])
  const cancel = () => {
    pending.current = null
    setSigningIn(false)
  }
  return (
    <SessionContext value={session}>
      {children}
      {signingIn && <Suspense><SignIn close={cancel} /></Suspense>}
    </SessionContext>
  )
}
